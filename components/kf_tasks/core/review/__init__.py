"""What an update would do, as a document that people can approve: from Pulumi's events to text, Markdown and HTML."""
