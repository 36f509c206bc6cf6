"""Typing Trainer: a realtime typing server that sees, scores and keeps every keystroke."""
