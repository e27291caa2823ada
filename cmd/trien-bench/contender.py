"""pyHanko as a contender of trien-bench (see contender.go): `contender.py sign|judge TASK`.

It keeps one event loop and one signer, as a long-lived service would."""

import asyncio
import json
import pathlib
import sys
import time

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.keys import load_cert_from_pemder, load_certs_from_pemder, load_private_key_from_pemder
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.validation import ades
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleCertificateStore, SimpleTrustManager


def signing(task):
    chain = list(load_certs_from_pemder([task["certificates"]]))
    signer = signers.SimpleSigner(
        signing_cert=chain[0],
        signing_key=load_private_key_from_pemder(task["key"], passphrase=None),
        cert_registry=SimpleCertificateStore.from_certs(chain[1:]),
    )
    level = task["level"]
    stamper = None if level == "B-B" else timestamps.HTTPTimeStamper(task["tsa"])
    meta = signers.PdfSignatureMetadata(
        field_name="Signature1",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=level == "B-LTA",
        use_pades_lta=level == "B-LTA",
        validation_context=context(task, allow_fetching=True) if level == "B-LTA" else None,
    )

    pdf_signer = signers.PdfSigner(meta, signer=signer, timestamper=stamper)

    async def once():
        with open(task["input"], "rb") as source, open(task["output"], "w+b") as out:
            await pdf_signer.async_sign_pdf(IncrementalPdfFileWriter(source), output=out)

    return once


def context(task, **kwargs):
    return ValidationContext(trust_roots=[load_cert_from_pemder(task["root"])], revocation_mode="require", **kwargs)


def judging(task):
    root = load_cert_from_pemder(task["root"])
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=[root]),
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
    )
    spec = PdfSignatureValidationSpec(
        SignatureValidationSpec(
            cert_validation_policy=policy,
            revinfo_gathering_policy=RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY),
            # Judging the past, pyHanko looks for the issuer of a CRL among certificates, not among anchors.
            local_knowledge=LocalKnowledge(known_certs=[root]),
            key_usage_settings=PdfSignatureStatus.default_usage_constraints(),
        )
    )

    async def once():
        with open(task["input"], "rb") as source:
            for signature in PdfFileReader(source).embedded_regular_signatures:
                result = await ades.ades_lta_validation(signature, spec)
                if result.ades_subindic != ades.AdESPassed.OK:
                    raise ValueError(result.failure_msg)

    return once


async def main():
    task = json.loads(sys.argv[2])
    once = {"sign": signing, "judge": judging}[sys.argv[1]](task)
    for line in sys.stdin:
        end, took = time.perf_counter() + float(line), []
        while not took or time.perf_counter() < end:
            if task["output"]:
                pathlib.Path(task["output"]).unlink(missing_ok=True)
            began = time.perf_counter()
            await once()
            took.append(time.perf_counter() - began)
        print(json.dumps(took), flush=True)


asyncio.run(main())
