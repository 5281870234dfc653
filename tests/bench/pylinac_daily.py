"""Run by the Python of pylinac's own environment: its daily test of the GE phantom over a folder, as one line of JSON."""

import json
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import pylinac  # noqa: E402
from pylinac import GEHeliosCTDaily  # noqa: E402


def main(folder: str) -> None:
    """Values that both have, and the processor time of the best of three runs."""
    took = []
    for _ in range(3):
        begun = time.process_time()
        daily = GEHeliosCTDaily(folder, check_uid=False)
        daily.analyze()
        took.append(time.process_time() - begun)
    told = daily.results_data(as_dict=True)
    water, bars = told["noise_uniformity"], told["high_contrast"]["mtf_lp_mm"]
    print(
        json.dumps(
            {
                "version": pylinac.__version__,
                "seconds_each": min(took) / len(list(Path(folder).glob("*.dcm"))),
                "water_hu": water["center_mean_hu"],
                "noise_hu": water["noise_center_std"],
                "edge_hu": water["mean_outer"] - water["center_mean_hu"],
                "block_water_hu": told["contrast_scale"]["mean_hu_water"],
                "mtf50": bars["50"],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
