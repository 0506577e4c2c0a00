"""Sends one mail through the service that is bound as `smtp`: by STARTTLS, and as the user that its URI names."""

import os
import smtplib
import ssl
import sys
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

recipient, order = sys.argv[1:]
binding = Path(os.environ["SERVICE_BINDING_ROOT"]) / "smtp"
uri = urlsplit((binding / "uri").read_text())
authority = binding / "ca.crt"  # of a server whose certificate no public authority has signed
mail = EmailMessage()
mail["From"], mail["To"], mail["Subject"] = "shop@example.com", recipient, "Your order"
mail.set_content(f"Thank you for your order of {order}.")
with smtplib.SMTP(uri.hostname or "localhost", uri.port or 587, timeout=30) as server:
    server.starttls(context=ssl.create_default_context(cafile=authority if authority.exists() else None))
    if uri.username:
        server.login(unquote(uri.username), unquote(uri.password or ""))
    server.send_message(mail)
print(f"sent to {recipient}")
