//! `/login` and `/services/whoami/`: people get a token for their password, and callers hear who they are.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::json;

use crate::{
    caller::Authenticator,
    domain::detached::detached,
    error::ApiError,
    field_errors::{FieldError, FieldErrors},
    form::Form,
    password::Password,
};

/// `POST {username, password}`: a token for the API, and whose it is.
///
/// # Errors
/// [`ApiError`].
pub async fn log_in(authenticator: Data<Authenticator>, form: Form) -> Result<HttpResponse, ApiError> {
    authenticator.offers_login()?;
    let (name, password) = read(form)?;
    let username = name.clone();
    // To its end, so that hanging up in time does not make a right password count as a miss.
    let work = async move { authenticator.log_in(&name, password).await };
    let logged_in = detached(work).await?;
    let roles = &logged_in.user.roles;
    let user = json!({"username": username, "role": roles.first(), "roles": roles});
    Ok(HttpResponse::Ok().json(json!({"token": logged_in.token, "user": user})))
}

/// `GET`: the name and the roles of whoever calls, by any proof that is accepted here.
///
/// # Errors
/// [`ApiError`].
pub async fn whoami(
    authenticator: Data<Authenticator>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (name, roles) = authenticator.who(&request).await?;
    Ok(HttpResponse::Ok().json(json!({"name": name, "roles": roles})))
}

fn read(mut form: Form) -> Result<(String, Password), FieldErrors> {
    let name = form.id("username");
    let name = form.required("username", name);
    let password = form.password("password");
    let password = form.required("password", password);
    form.finish()?;
    // Without one of them there was an error, so that this is never reached.
    name.zip(password).ok_or_else(|| FieldErrors::of("password", FieldError::required()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_password_are_required_and_a_password_may_look_like_a_card_number() {
        let read = |body: &str| read(Form::parse(body.as_bytes()).unwrap());
        let missing = read("{}").err().unwrap();
        assert!(missing.has("username") && missing.has("password"));
        assert!(read(r#"{"username": "a", "password": 1}"#).err().unwrap().has("password"));
        assert!(read(r#"{"username": "a", "password": "4111111111111111"}"#).is_ok());
    }
}
