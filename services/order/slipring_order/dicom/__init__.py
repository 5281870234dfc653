"""The scanners' side: worklist, performed steps, storage and echo over DICOM, beside order's HTTP addresses."""
