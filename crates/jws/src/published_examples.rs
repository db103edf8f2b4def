//! The examples of RFC 7515, appendix A, of RFC 8037, appendix A, and a token that OpenSSL has signed.

use data_encoding::BASE64URL_NOPAD;
use rustls::pki_types::alg_id;
use serde_json::{Value, json};

use crate::{
    Algorithm, SigningKey, VerifyError, VerifyingKey, der,
    token::{payload, verify},
};

const CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn bytes(base64url: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(base64url.as_bytes()).unwrap()
}

/// Verifies an example, and sees it refused when a byte of it is another.
fn check(token: &str, key: VerifyingKey) {
    let keys = [key];
    let claims = json!({"iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true});
    assert_eq!(verify(token, &keys).map(Value::Object), Ok(claims));
    assert_eq!(verify(&token.replacen(".eyJpc", ".eyJpd", 1), &keys), Err(VerifyError::Signature));
}

#[test]
fn hmac_with_sha_256_as_in_rfc_7515_a_1() {
    let secret =
        bytes("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
    let message = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}");
    let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let key = SigningKey::hmac_bytes(&secret).unwrap();
    assert_eq!(key.sign(message.as_bytes()).unwrap(), bytes(signature));
    check(&format!("{message}.{signature}"), key.verifying_key());
}

#[test]
fn rsa_with_sha_256_as_in_rfc_7515_a_2() {
    let modulus = bytes(concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL",
        "-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA",
        "9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8N",
        "Aco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    ));
    let signature = concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGb",
        "ds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0G",
        "arZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6Lbg",
        "GY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );
    let modulus = der::write(der::INTEGER, &[&[0], modulus.as_slice()].concat()).unwrap();
    let exponent = der::write(der::INTEGER, &bytes("AQAB")).unwrap();
    let key = der::write(der::SEQUENCE, &[modulus, exponent].concat()).unwrap();
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.{signature}");
    check(&token, VerifyingKey::public(Algorithm::Rs256, key));
}

#[test]
fn ecdsa_on_p_256_as_in_rfc_7515_a_3() {
    let x = bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let token = format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}.{signature}");
    check(&token, VerifyingKey::public(Algorithm::Es256, [vec![4], x, y].concat()));
}

#[test]
fn ed25519_as_in_rfc_8037_a_4() {
    let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let key = ed25519(&bytes("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
    assert_eq!(key.sign(message.as_bytes()).unwrap(), bytes(signature));
    let public = bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let keys = [VerifyingKey::public(Algorithm::EdDsa, public)];
    let token = format!("{message}.{signature}");
    assert_eq!(payload(&token, &keys), Ok(b"Example of Ed25519 signing".to_vec()));
    // Signed, and still no claims.
    assert_eq!(verify(&token, &keys), Err(VerifyError::Malformed));
}

#[test]
fn rsa_with_sha_512_as_openssl_signs_it() {
    let keys = [VerifyingKey::from_pem(include_str!("fixtures/rsa_public.pem")).unwrap()];
    let token = include_str!("fixtures/rs512_by_openssl.jws").trim_end();
    assert_eq!(verify(token, &keys).map(Value::Object), Ok(json!({"sub": "made by openssl"})));
    let key = SigningKey::from_pem(&include_str!("fixtures/rsa.pem").into(), None).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(key.sign(message.as_bytes()).unwrap(), bytes(signature));
}

/// RFC 8410's private key of this seed, without the public half.
fn ed25519(seed: &[u8]) -> SigningKey {
    let version = der::write(der::INTEGER, &[0]).unwrap();
    let algorithm = der::write(der::SEQUENCE, alg_id::ED25519.as_ref()).unwrap();
    let key = der::write(der::OCTET_STRING, &der::write(der::OCTET_STRING, seed).unwrap()).unwrap();
    let pkcs8 = der::write(der::SEQUENCE, &[version, algorithm, key].concat()).unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        data_encoding::BASE64.encode(&pkcs8)
    );
    SigningKey::from_pem(&pem.into(), Some(Algorithm::EdDsa)).unwrap()
}
