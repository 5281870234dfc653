"""A service without a DICOM port starts without the DICOM libraries: they cost more than the rest of its imports."""

import subprocess
import sys


def test_what_the_service_declares_needs_no_dicom_library() -> None:
    look = (
        "import sys, slipring_order.service, slipring_order.beside; print({'pydicom', 'pynetdicom'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
