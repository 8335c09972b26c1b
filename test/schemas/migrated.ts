/** A well-known application whose own tool makes its database, step by step. */
export interface Migrated {
  readonly name: string;
  /** What pip installs: the application, and the driver that it talks to PostgreSQL with. */
  readonly requirements: readonly string[];
  /** Written into the folder in which its tool runs. */
  readonly files?: Readonly<Record<string, string>>;
  /** Run once in that folder, before anything is measured. */
  readonly prepare?: readonly string[];
  /** Its program is one of those that were installed. */
  readonly command: readonly string[];
  /** `{at}` stands for `user:password@host:port/database`, `{database}` for its end, `{folder}` for the folder in which it runs. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where the tool keeps which steps it has made, and what of that is the same for each database. */
  readonly steps: { readonly table: string; readonly columns: string };
}

const DJANGO_STEPS = { table: 'django_migrations', columns: 'id, app, name' };
const ALEMBIC_STEPS = { table: 'alembic_version', columns: 'version_num' };
const DJANGO_ENV = { PYTHONPATH: '{folder}', DJANGO_SETTINGS_MODULE: 'hoop_settings' };

/** libpq finds the rest in PGHOST, PGPORT, PGUSER and PGPASSWORD. */
const DJANGO_DATABASE = `
import os
SECRET_KEY = 'only for this test'
DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['PGDATABASE']}}
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
USE_TZ = True
SITE_ID = 1
`;

const DJANGO_APPS = `'django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes',
  'django.contrib.sessions', 'django.contrib.messages', 'django.contrib.sites', 'django.contrib.staticfiles',
  'django.contrib.flatpages'`;

const DJANGO_TEMPLATES = `
TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True, 'OPTIONS': {'context_processors': [
  'django.contrib.auth.context_processors.auth', 'django.template.context_processors.request',
  'django.contrib.messages.context_processors.messages', 'django.template.context_processors.i18n']}}]
`;

const OSCAR_SETTINGS = `
from oscar.defaults import *
${DJANGO_DATABASE}
INSTALLED_APPS = [${DJANGO_APPS},
  'oscar.config.Shop', 'oscar.apps.analytics.apps.AnalyticsConfig', 'oscar.apps.checkout.apps.CheckoutConfig',
  'oscar.apps.address.apps.AddressConfig', 'oscar.apps.shipping.apps.ShippingConfig',
  'oscar.apps.catalogue.apps.CatalogueConfig', 'oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig',
  'oscar.apps.communication.apps.CommunicationConfig', 'oscar.apps.partner.apps.PartnerConfig',
  'oscar.apps.basket.apps.BasketConfig', 'oscar.apps.payment.apps.PaymentConfig', 'oscar.apps.offer.apps.OfferConfig',
  'oscar.apps.order.apps.OrderConfig', 'oscar.apps.customer.apps.CustomerConfig',
  'oscar.apps.search.apps.SearchConfig', 'oscar.apps.voucher.apps.VoucherConfig',
  'oscar.apps.wishlists.apps.WishlistsConfig', 'oscar.apps.dashboard.apps.DashboardConfig',
  'oscar.apps.dashboard.reports.apps.ReportsDashboardConfig', 'oscar.apps.dashboard.users.apps.UsersDashboardConfig',
  'oscar.apps.dashboard.orders.apps.OrdersDashboardConfig',
  'oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig',
  'oscar.apps.dashboard.offers.apps.OffersDashboardConfig',
  'oscar.apps.dashboard.partners.apps.PartnersDashboardConfig',
  'oscar.apps.dashboard.pages.apps.PagesDashboardConfig', 'oscar.apps.dashboard.ranges.apps.RangesDashboardConfig',
  'oscar.apps.dashboard.reviews.apps.ReviewsDashboardConfig',
  'oscar.apps.dashboard.vouchers.apps.VouchersDashboardConfig',
  'oscar.apps.dashboard.communications.apps.CommunicationsDashboardConfig',
  'oscar.apps.dashboard.shipping.apps.ShippingDashboardConfig',
  'widget_tweaks', 'haystack', 'treebeard', 'sorl.thumbnail', 'django_tables2']
HAYSTACK_CONNECTIONS = {'default': {'ENGINE': 'haystack.backends.simple_backend.SimpleEngine'}}
${DJANGO_TEMPLATES}`;

const CMS_SETTINGS = `${DJANGO_DATABASE}
INSTALLED_APPS = [${DJANGO_APPS}, 'cms', 'menus', 'treebeard', 'sekizai', 'filer', 'easy_thumbnails',
  'djangocms_text', 'djangocms_versioning', 'djangocms_alias']
CMS_CONFIRM_VERSION4 = True
LANGUAGE_CODE = 'en'
LANGUAGES = [('en', 'English'), ('de', 'Deutsch')]
CMS_TEMPLATES = [('page.html', 'Page')]
${DJANGO_TEMPLATES}`;

export const MIGRATED: readonly Migrated[] = [
  {
    name: 'wagtail',
    requirements: ['wagtail==8.0.1', 'psycopg2-binary==2.9.13'],
    files: { 'hoop_settings.py': `from portal.settings.dev import *\n${DJANGO_DATABASE}` },
    prepare: ['wagtail', 'start', 'portal', '.'],
    command: ['django-admin', 'migrate'],
    env: DJANGO_ENV,
    steps: DJANGO_STEPS,
  },
  {
    name: 'django-oscar',
    requirements: ['django-oscar==4.2.1', 'sorl-thumbnail', 'psycopg2-binary==2.9.13'],
    files: { 'hoop_settings.py': OSCAR_SETTINGS },
    command: ['django-admin', 'migrate', '--skip-checks'],
    env: DJANGO_ENV,
    steps: DJANGO_STEPS,
  },
  {
    name: 'django-cms',
    requirements: [
      'django-cms==5.1.3',
      'djangocms-text',
      'djangocms-versioning',
      'djangocms-alias',
      'django-filer',
      'psycopg[binary]==3.3.9',
    ],
    files: { 'hoop_settings.py': CMS_SETTINGS },
    command: ['django-admin', 'migrate', '--skip-checks'],
    env: DJANGO_ENV,
    steps: DJANGO_STEPS,
  },
  {
    name: 'pretix',
    requirements: ['pretix==2026.8.0', 'psycopg2-binary==2.9.13'],
    // Its host, user and password are libpq's to find.
    files: { 'pretix.cfg': '[database]\nbackend=postgresql\n' },
    command: ['python', '-m', 'pretix', 'migrate'],
    env: {
      PRETIX_CONFIG_FILE: '{folder}/pretix.cfg',
      PRETIX_PRETIX_DATADIR: '{folder}',
      PRETIX_DATABASE_NAME: '{database}',
    },
    steps: DJANGO_STEPS,
  },
  {
    name: 'airflow',
    requirements: ['apache-airflow==3.3.2', 'psycopg2-binary==2.9.13', 'asyncpg==0.32.0'],
    command: ['airflow', 'db', 'migrate', '--use-migration-files'],
    env: {
      AIRFLOW_HOME: '{folder}',
      AIRFLOW__CORE__LOAD_EXAMPLES: 'false',
      AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: 'postgresql+psycopg2://{at}',
    },
    steps: ALEMBIC_STEPS,
  },
  {
    name: 'superset',
    requirements: ['apache-superset==6.1.0', 'flask-caching==2.3.1', 'rich', 'psycopg2-binary==2.9.13'],
    files: {
      'superset_config.py': `import os\nSECRET_KEY = 'only for this test, and long enough for it'
SQLALCHEMY_DATABASE_URI = os.environ['SUPERSET_AT']\n`,
    },
    command: ['superset', 'db', 'upgrade'],
    env: {
      FLASK_APP: 'superset',
      SUPERSET_HOME: '{folder}',
      SUPERSET_CONFIG_PATH: '{folder}/superset_config.py',
      SUPERSET_AT: 'postgresql+psycopg2://{at}',
    },
    steps: ALEMBIC_STEPS,
  },
  {
    name: 'mlflow',
    requirements: ['mlflow==3.17.2', 'psycopg2-binary==2.9.13'],
    command: ['mlflow', 'db', 'upgrade', 'postgresql+psycopg2://{at}'],
    steps: ALEMBIC_STEPS,
  },
  {
    name: 'prefect',
    requirements: ['prefect==3.9.1', 'asyncpg==0.32.0'],
    command: ['prefect', 'server', 'database', 'upgrade', '-y'],
    env: { PREFECT_HOME: '{folder}', PREFECT_API_DATABASE_CONNECTION_URL: 'postgresql+asyncpg://{at}' },
    steps: ALEMBIC_STEPS,
  },
];
