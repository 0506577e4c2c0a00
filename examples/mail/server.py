"""A mail server for trying out: it accepts every mail and keeps it as a file in /mail, 1, 2, 3 …"""

import itertools
import socketserver
from pathlib import Path

numbers = itertools.count(1)


class Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.answer("220 mail")
        for line in self.rfile:
            command = line[:4].upper().strip()
            if command == b"QUIT":
                self.answer("221 bye")
                return
            if command == b"DATA":
                self.answer("354 go on")
                self.keep()
            known = (b"HELO", b"EHLO", b"MAIL", b"RCPT", b"RSET", b"NOOP", b"DATA")
            self.answer("250 ok" if command in known else "502 not here")

    def keep(self) -> None:
        lines = itertools.takewhile(lambda line: line != b".\r\n", self.rfile)
        text = b"".join(line[1:] if line.startswith(b"..") else line for line in lines)
        name = f"/mail/{next(numbers)}"
        Path(name).write_bytes(text.replace(b"\r\n", b"\n"))
        print(f"kept {name}")

    def answer(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


socketserver.ThreadingTCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer(("", 2525), Conversation) as server:
    server.serve_forever()
