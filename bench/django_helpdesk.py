"""django-helpdesk's side of :mod:`bench.mail`: a process of an environment of its own, with nothing of ours in it.

Its settings are its defaults, but for what it cannot run without. It takes orders as :mod:`bench.first_response` does.
``WHERE`` in the environment is JSON: ``imap``, ``smtp``, ``user``, ``password``, ``folder``, and ``database`` as Django
wants it.
"""

import json
import os
import sys
import time

import django  # type: ignore[import-not-found]
from django.conf import settings  # type: ignore[import-not-found]
from django.core.management import call_command  # type: ignore[import-not-found]
from django.urls import include, path  # type: ignore[import-not-found]

WHERE = json.loads(os.environ["WHERE"])

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": WHERE["database"]},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.sites",
        "django.contrib.humanize",
        "rest_framework",
        "helpdesk",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SITE_ID=1,
    MEDIA_ROOT=WHERE["folder"],
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=WHERE["smtp"],
    ROOT_URLCONF=__name__,
    LANGUAGE_CODE="en",
    HELPDESK_TEAMS_MODE_ENABLED=False,  # needs a package that it does not bring
)
django.setup()
urlpatterns = [path("helpdesk/", include("helpdesk.urls"))]


def main() -> None:
    """Answer orders until there are no more."""
    from helpdesk.models import Queue, Ticket  # type: ignore[import-not-found]

    call_command("migrate", verbosity=0)
    call_command("loaddata", "emailtemplate", verbosity=0)
    Queue.objects.create(
        title="Layanan",
        slug="layanan",
        email_address=WHERE["user"],
        allow_email_submission=True,
        email_box_type="imap",
        email_box_host="127.0.0.1",
        email_box_port=WHERE["imap"],
        email_box_ssl=True,
        email_box_user=WHERE["user"],
        email_box_pass=WHERE["password"],
        email_box_imap_folder="INBOX",
        email_box_interval=0,
        logging_type="none",
    )
    for _ in sys.stdin:
        before = Ticket.objects.count()
        began, cpu = time.perf_counter(), time.process_time()
        call_command("get_email", quiet=True)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        mails = Ticket.objects.count() - before
        print(json.dumps({"mails": mails, "seconds": seconds, "cpu": cpu}), flush=True)


if __name__ == "__main__":
    main()
