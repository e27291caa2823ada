"""Has pyHanko judge signed PDFs for trien-interop: a JSON object a line in, one out.

pyHanko reads each file strictly and validates each signature as EN 319 102-1 says, with the roots given as its only
anchors, evidence on revocation required of every certificate, and no network. B-B and B-T carry no evidence: there it
gets the statements that the caller hands over; from B-LT on it has only what the file holds.

Beside the verdict each container, its signature time-stamp and what that one stamps are left in files, cut out by
pyHanko, so that OpenSSL need not trust our own parser.
"""

import asyncio
import json
import logging
import os
import sys

from asn1crypto import cms, crl, ocsp, pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    FormUpdatingRule,
    GenericFieldModificationRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
)
from pyhanko.sign.validation import ades, async_validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
    bootstrap_validation_data_handlers,
)
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

# The default policy, but that it allows no appearance to be overwritten: stricter, yet it takes a locked field that nobody touched for what it is.
SEPARATE_APPEARANCES = StandardDiffPolicy(
    global_rules=DEFAULT_DIFF_POLICY.global_rules,
    form_rule=FormUpdatingRule(
        field_rules=[
            SigFieldCreationRule(),
            SigFieldModificationRule(),
            GenericFieldModificationRule(allow_in_place_appearance_stream_changes=False),
        ]
    ),
)

logging.disable(logging.CRITICAL)  # its warnings are in the verdicts


def read(path):
    with open(path, "rb") as f:
        return f.read()


def certificates(path):
    return [x509.Certificate.load(der) for _, _, der in pem.unarmor(read(path), multiple=True)]


class Judge:
    """Judges with the anchors and statements of one run."""

    def __init__(self, folder):
        self.roots = certificates(os.path.join(folder, "root.pem"))
        self.issuers = certificates(os.path.join(folder, "issuers.pem"))
        names = sorted(os.listdir(folder))
        self.answers = [read(os.path.join(folder, n)) for n in names if n.endswith(".ocsp")]
        self.lists = [read(os.path.join(folder, n)) for n in names if n.endswith(".crl")]

    def knowledge(self):
        """The statements for levels that carry none."""
        answers = []
        for der in self.answers:
            answers += OCSPContainer.load_multi(ocsp.OCSPResponse.load(der))
        return LocalKnowledge(
            known_ocsps=answers,
            known_crls=[CRLContainer(crl.CertificateList.load(der)) for der in self.lists],
            known_certs=self.issuers,
        )

    def spec(self, local):
        policy = CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build(trust_roots=self.roots),
            revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
        )
        return SignatureValidationSpec(
            cert_validation_policy=policy,
            revinfo_gathering_policy=RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY),
            local_knowledge=local,
            key_usage_settings=PdfSignatureStatus.default_usage_constraints(),
        )

    async def ades(self, sig, level):
        """The verdict in the terms of EN 319 102-1 for the level that the signature should have, and why."""
        if level == "B-LTA":
            # Judging the past, pyHanko looks for the issuer of a CRL among certificates, not among anchors: the root must be both.
            result = await ades.ades_lta_validation(sig, PdfSignatureValidationSpec(self.spec(LocalKnowledge(known_certs=self.roots))))
            if result.oldest_evidence_record_timestamp is None:
                return "NO_EVIDENCE_RECORD", "no document time-stamp proves when the evidence existed"
        else:
            check = ades.ades_basic_validation if level == "B-B" else ades.ades_with_time_validation
            local = ades._dss_to_local_knowledge(sig.reader) if level == "B-LT" else self.knowledge()
            result = await check(sig.signed_data, self.spec(local), raw_digest=sig.compute_digest())
        return indication(result), result.failure_msg or ""

    async def stamp(self, sig):
        """The verdict on a document time-stamp, with the evidence in the file. Its own authority's was collected before it was made."""
        spec = self.spec(ades._dss_to_local_knowledge(sig.reader))
        timing = ValidationTimingInfo.now()
        result = await ades.ades_timestamp_validation(
            sig.signed_data,
            spec,
            timing_info=timing,
            expected_tst_imprint=sig.compute_digest,
            validation_data_handlers=bootstrap_validation_data_handlers(spec, timing_info=timing),
        )
        return indication(result), result.failure_msg or ""

    async def earlier(self, sig):
        """The verdict on a signature that was there before ours, in pyHanko's own terms: it may be no PAdES."""
        context = ValidationContext(
            trust_roots=self.roots,
            other_certs=self.issuers,
            ocsps=[ocsp.OCSPResponse.load(der) for der in self.answers],
            crls=[crl.CertificateList.load(der) for der in self.lists],
            allow_fetching=False,
            revocation_mode="soft-fail",
        )
        status = await async_validate_pdf_signature(sig, context)
        return ("PASSED" if status.bottom_line else "FAILED"), status.summary()

    async def one(self, sig, level, before, dump):
        out = {
            "field": sig.field_name,
            "type": str(sig.sig_object_type)[1:],
            "subfilter": str(sig.sig_object.get("/SubFilter", ""))[1:],
            "byte_range": [int(n) for n in sig.byte_range],
        }
        sig.compute_integrity_info()
        if out["type"] == "DocTimeStamp":
            verdict = await self.stamp(sig)
        elif before:
            verdict = await self.earlier(sig)
        else:
            verdict = await self.ades(sig, level)
            out["profile"] = profile(sig, level)
        out["verdict"], out["why"] = verdict
        out["coverage"] = sig.coverage.name
        out["changes"] = changes(sig.diff_result)
        if "is locked" in out["changes"]:
            out["lock"] = out["changes"]
            sig.compute_integrity_info(diff_policy=SEPARATE_APPEARANCES)
            out["changes"] = changes(sig.diff_result)
        container = cms.ContentInfo.load(sig.pkcs7_content)
        out["container"] = dump("cms", container.dump())
        tokens = attribute(sig.signer_info["unsigned_attrs"], "signature_time_stamp_token")
        if tokens:
            out["token"] = dump("tst", tokens[0].dump())
            out["stamped"] = dump("value", sig.signer_info["signature"].contents)
        return out

    def judge(self, request):
        if "level" not in request:  # only whether the strict reader takes the input
            with open(request["path"], "rb") as f:
                PdfFileReader(f, strict=True).root
            return {}
        numbers = iter(range(1000))

        def dump(kind, der):
            path = os.path.join(request["dump"], f"{next(numbers)}.{kind}")
            with open(path, "wb") as f:
                f.write(der)
            return path

        async def all_of(reader):
            return [await self.one(s, request["level"], i < request["before"], dump) for i, s in enumerate(reader.embedded_signatures)]

        with open(request["path"], "rb") as f:
            reader = PdfFileReader(f, strict=not request.get("lenient"))
            return {"signatures": asyncio.run(all_of(reader))}


def indication(result):
    sub = result.ades_subindic
    return "PASSED" if sub == ades.AdESPassed.OK else str(getattr(sub, "standard_name", sub))


def changes(diff):
    """What the difference policy says of what came after the signature."""
    level = getattr(diff, "modification_level", None)
    return level.name if level is not None else f"SUSPICIOUS: {diff}"


def attribute(attributes, name):
    for a in attributes or []:
        if a["type"].native == name:
            return a["values"]
    return None


def profile(sig, level):
    """What EN 319 142-1 §6.3 asks of the level and the signature lacks."""
    signed = {a["type"].native for a in sig.signer_info["signed_attrs"]}
    wrong = [f"no {n} attribute" for n in ("content_type", "message_digest", "signing_certificate_v2") if n not in signed]
    if "signing_time" in signed:
        wrong.append("signing-time in the CMS")
    if sig.sig_object.get("/SubFilter") != "/ETSI.CAdES.detached":
        wrong.append("SubFilter")
    if "/M" not in sig.sig_object:
        wrong.append("no /M")
    if "/Cert" in sig.sig_object:
        wrong.append("/Cert in the dictionary")
    if level != "B-B" and not attribute(sig.signer_info["unsigned_attrs"], "signature_time_stamp_token"):
        wrong.append("no signature time-stamp")
    if level in ("B-LT", "B-LTA"):
        store = DocumentSecurityStore.read_dss(sig.reader)
        if not list(store.load_certs()) or not store.ocsps and not store.crls:
            wrong.append("empty security store")
    if level == "B-LTA" and not sig.reader.embedded_timestamp_signatures:
        wrong.append("no document time-stamp")
    return wrong


def main():
    judge = Judge(sys.argv[1])
    for line in sys.stdin:
        try:
            answer = judge.judge(json.loads(line))
        except Exception as e:  # a verdict too: what pyHanko cannot read
            answer = {"problem": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
