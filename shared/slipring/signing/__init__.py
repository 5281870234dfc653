"""Signed forms, detached JWS and signing certificates: pure, no web and no database."""
