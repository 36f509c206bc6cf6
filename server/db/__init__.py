"""The SQL store: tables, questions, and the journal in which keystrokes become durable."""
