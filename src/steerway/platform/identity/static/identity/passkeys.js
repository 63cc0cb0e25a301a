// Passkeys: any form with data-passkey="create", "get" or "login" gets its credential from the
// browser and is then sent. What the browser is asked comes with the form, or from its address.

const json = window.webauthnJSON;

function creation(options, isPasswordless) {
  const asked = structuredClone(options.creation_options);
  const selection = asked.publicKey.authenticatorSelection;
  selection.residentKey = isPasswordless ? "required" : "discouraged";
  selection.requireResidentKey = isPasswordless;
  if (isPasswordless) selection.userVerification = "required";
  return asked;
}

async function credential(form) {
  if (form.dataset.passkey === "create") {
    const passwordless = form.elements.passwordless;
    const options = JSON.parse(form.dataset.options);
    return json.create(creation(options, Boolean(passwordless && passwordless.checked)));
  }
  if (form.dataset.passkey === "get") return json.get(JSON.parse(form.dataset.options).request_options);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("The server does not answer.");
  return json.get((await answer.json()).request_options);
}

async function send(form) {
  const problem = form.querySelector("[role=alert]");
  try {
    form.elements.credential.value = JSON.stringify(await credential(form));
    form.submit();
  } catch (error) {
    if (!problem) return;
    problem.hidden = false;
    problem.textContent = error.name === "NotAllowedError"
      ? "The passkey was not used. Try again, or choose another way."
      : `The passkey cannot be used here: ${error.message}`;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.querySelector("button[type=button]").addEventListener("click", () => send(form));
}
