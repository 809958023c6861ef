"""The demo "Why was my flight late?": real flights of 2013 as eight tables, ten questions and a story.

Everything comes from files inside installed packages; nothing is fetched.
"""
