// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2: a filter written byte by byte. It means to return 0x1122334455667788, cut to 32 bits: more than any
 * packet is long, so it keeps every packet whole.
 */
asm(".section socket, \"ax\", @progbits\n"
    ".globl start\n"
    ".type start, @function\n"
    "start:\n"
    /* opcode  regs  offset      immediate */
    ".byte 0x18, 0x00, 0x00, 0x00, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11\n" /* r0 = 0x1122334455667788 */
    ".byte 0x95, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00\n"                         /* exit */
    ".size start, . - start\n");
