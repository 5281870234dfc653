"""Chapter five: the exam, its images and its dose report."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pydicom
from pydicom.data import get_testdata_file
from slipring_order.dose.observation import as_observation
from slipring_order.dose.reading import read_dose_report

from slipring_demo.cast import SYNTHETIC
from slipring_demo.contrast import injection
from slipring_demo.dose_report import write_dose_report
from slipring_demo.ordering import identity_confirmed, move
from slipring_demo.scene import Scene

_DCM = "http://dicom.nema.org/resources/ontology/DCM"


def exam_with_dose_report(scene: Scene) -> None:
    """Identity checked, started, contrast given, images and dose recorded: acquired."""
    teller = scene.teller
    teller.say("The exam: contrast given, images and dose report in")
    teller.ask("POST", f"Task/{scene.task()['id']}/$check", identity_confirmed(scene))
    teller.must(scene.state() == "ready", "identity and examination confirmed: ready")
    move(scene, "in-progress")
    injection(scene)
    path = Path(str(get_testdata_file("CT_small.dcm")))
    image = pydicom.dcmread(path, stop_before_pixels=True)
    study = teller.created(
        {
            "resourceType": "ImagingStudy",
            "meta": SYNTHETIC,
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{image.StudyInstanceUID}"}],
            "status": "registered",
            "modality": [{"system": _DCM, "code": "CT"}],
            "subject": scene.subject,
            "basedOn": [{"reference": scene.exam}],
            "started": scene.moment(),
            "numberOfSeries": 1,
            "numberOfInstances": 1,
            "series": [
                {
                    "uid": str(image.SeriesInstanceUID),
                    "modality": {"system": _DCM, "code": "CT"},
                    "instance": [
                        {
                            "uid": str(image.SOPInstanceUID),
                            "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{image.SOPClassUID}"},
                        }
                    ],
                }
            ],
        }
    )
    teller.note(f"image {path.name}: {image.Rows}x{image.Columns}, {image.get('Manufacturer', '')}")
    source = scene.dose_report or write_dose_report(
        scene.data_dir / "demo-dose-report.dcm",
        accession=scene.imaging_number,
        study=str(image.StudyInstanceUID),
        at=datetime.now().astimezone(),
    )
    report = read_dose_report(pydicom.dcmread(source))
    observation = as_observation(
        report,
        request={"reference": scene.exam},
        subject=scene.subject,
        now=datetime.now(UTC),
        performer=scene.person("technologist"),
    )
    observation["partOf"] = [{"reference": f"ImagingStudy/{study['id']}"}]
    teller.created(observation)
    teller.note(observation["valueString"])
    teller.must(scene.state() == "acquired", "acquired")
