"""Benches that are read from a web server or an object store: addresses, requests, the local cache, and the bytes of segments.

obstore is loaded here only, and only when a URL is opened or published to.
"""
