"""The page of a case. Held by `tests/flows/desk/test_app.py`."""

from fastapi import APIRouter

router = APIRouter()
