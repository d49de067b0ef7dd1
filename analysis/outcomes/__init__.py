"""Success rates by task and model, and their statistics."""
