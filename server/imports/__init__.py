"""Histories that people bring along from other typing trainers: files in, results out."""
