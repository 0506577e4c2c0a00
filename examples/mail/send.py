"""Sends one mail through the service that is bound as `smtp`."""

import os
import smtplib
import sys
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

recipient, order = sys.argv[1:]
uri = urlsplit((Path(os.environ["SERVICE_BINDING_ROOT"]) / "smtp" / "uri").read_text())
mail = EmailMessage()
mail["From"], mail["To"], mail["Subject"] = "shop@example.com", recipient, "Your order"
mail.set_content(f"Thank you for your order of {order}.")
with smtplib.SMTP(uri.hostname or "localhost", uri.port or 25, timeout=30) as server:
    if uri.username:
        server.starttls()
        server.login(unquote(uri.username), unquote(uri.password or ""))
    server.send_message(mail)
print(f"sent to {recipient}")
