"""The review as a page, as Markdown, as pictures."""
