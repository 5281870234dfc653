"""What a service says about itself as FHIR resources, made from its declarations: nothing here is stored."""

from slipring.fhir.definitions.catalogue import Catalogue, catalogue_of

__all__ = ["Catalogue", "catalogue_of"]
