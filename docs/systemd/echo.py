"""Sends back every datagram that arrives at the first socket of socket activation."""

import socket

server = socket.socket(fileno=3)
while True:
    datagram, sender = server.recvfrom(65536)
    server.sendto(datagram, sender)
