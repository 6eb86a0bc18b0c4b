// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2, solved: the upper half of the immediate has a slot of its own, whose other four bytes are zero.
 */
asm(".section socket, \"ax\", @progbits\n"
    ".globl start\n"
    ".type start, @function\n"
    "start:\n"
    /* opcode  regs  offset      immediate */
    ".byte 0x18, 0x00, 0x00, 0x00, 0x88, 0x77, 0x66, 0x55\n" /* r0 = 0x1122334455667788, the lower half */
    ".byte 0x00, 0x00, 0x00, 0x00, 0x44, 0x33, 0x22, 0x11\n" /* the upper half */
    ".byte 0x95, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00\n" /* exit */
    ".size start, . - start\n");
