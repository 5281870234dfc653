"""A page becomes a PDF that holds its words, Chinese ones too, and that looked at nothing outside."""

import io
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from pypdf import PdfReader
from slipring.printing.pdf import INSTALL, can_print, pdf_of

needs_a_printer = pytest.mark.skipif(not can_print(), reason=f"a PDF needs: {INSTALL}")


@needs_a_printer
def test_the_words_of_a_page_are_in_its_pdf_in_both_languages() -> None:
    reader = PdfReader(io.BytesIO(pdf_of("<h1>碘对比剂使用患者知情同意书</h1><p>right to refuse</p>")))
    text = "".join(page.extract_text() for page in reader.pages)
    assert "碘对比剂使用患者知情同意书" in text and "right to refuse" in text
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts and all("CJK" in str(font["/BaseFont"]) or "/DescendantFonts" in font for font in fonts)


@needs_a_printer
def test_nothing_is_fetched_while_a_page_is_printed() -> None:
    asked: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Listening)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        there = f"http://127.0.0.1:{server.server_port}"
        page = f'<link rel="stylesheet" href="{there}/a.css"><img src="{there}/b.png"><img src="file:///etc/passwd"><p>x</p>'
        assert pdf_of(page).startswith(b"%PDF")
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []
