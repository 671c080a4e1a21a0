//! `tandem serve`: opens the shop and serves it until it is asked to stop.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use connect::Handlers;
use connect::call::{Caller, Reach, Trust, Unanswered};
use connect::carrier::{Carriers, TestClient as CarrierClient};
use connect::message::Mail;
use connect::payment::Payments;
use connect::payment::reconciliation::Reconciliations;
use connect::stripe::StripeClient;
use connect::test_provider::{TestClient, TestProvider};
use connect::webhook::{self, Webhooks};
use domain::actor::Actor;
use engine::actor::setup_token;
use engine::{Shop, job, message};
use http::App;
use http::outside::{Outside, Question};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

use crate::config::Config;
use crate::fault::Fault;
use crate::init::screen_name;
use crate::screen::Screen;
use crate::shop::{self, Opened};
use crate::trace;
use crate::{log, test_provider};

/// How long a payment provider may take to answer.
pub const PROVIDER_WAIT_MAX: Duration = Duration::from_secs(5);
/// How long a sign-on may take to answer; somebody waits, and it is asked up to four times.
const SIGN_ON_WAIT_MAX: Duration = Duration::from_secs(5);

/// Open the shop and serve it
///
/// The first start makes the data directory, the database and the master key, and prints a link by which the first owner sets a
/// password. Ctrl-C, or the signal TERM, stops it gracefully: requests under way are answered, new ones are not taken.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem serve
  tandem serve --listen 127.0.0.1:9000 --data /var/lib/tandem
  TANDEM_DATABASE=postgres://tandem@db/tandem tandem serve --log-format json")]
pub struct Arguments {
    /// The address to serve on [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// Also stop when standard input ends: for a program that starts this one and may end without a word.
    #[arg(long, hide = true)]
    until_input_ends: bool,
}

/// Runs it.
///
/// # Errors
/// When the shop cannot be opened or the address is taken.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    let address = arguments.listen.clone().unwrap_or_else(|| config.listen.clone());
    let runtime =
        Runtime::new().map_err(|error| Fault::environment("starting the program's threads", error))?;
    let traces = trace::start(config, runtime.handle())?;
    log::start_beside(config, traces.listener)?;
    let opened = shop::open_or_make(config)?;
    let outside = Some(outside(config)?);
    let edge = http::server::Settings { join_trace: traces.join, outside, ..config.edge() };
    let served =
        runtime.block_on(serve(config, &address, &opened, edge, (screen, arguments.until_input_ends)));
    if let Some(finish) = traces.finish {
        finish();
    }
    served
}

async fn serve(
    config: &Config,
    address: &str,
    opened: &Opened,
    edge: http::server::Settings,
    (screen, until_input_ends): (&Screen, bool),
) -> Result<(), Fault> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Fault::environment(format!("serving on {address}"), error))?;
    let address = listener.local_addr().map_err(|error| Fault::environment("serving", error))?;
    let edge = if edge.public_address.is_empty() {
        http::server::Settings { public_address: own_address(address), ..edge }
    } else {
        edge
    };
    welcome(config, address, &opened.shop, screen)?;
    let (stop, asked_to_stop) = watch::channel(false);
    let until_asked = || {
        let mut asked = asked_to_stop.clone();
        async move { drop(asked.wait_for(|stop| *stop).await) }
    };
    let shop = opened.shop.clone();
    let handlers = handlers(config, &shop, address, until_asked()).await?;
    let jobs = tokio::spawn(connect::run(shop.clone(), handlers, until_asked()));
    let trainings = connect::training::look_after(shop.clone())
        .map_err(|error| Fault::environment("looking after trainings", error))?;
    let webhooks = tokio::spawn(webhooks(config)?.run(shop.clone(), until_asked()));
    tokio::spawn(async move {
        tokio::select! {
            () = wait_for_signal() => {}
            () = wait_for_end_of_input(), if until_input_ends => {}
        }
        stop.send_replace(true);
    });
    http::server::serve(App::new(shop), listener, edge, until_asked()).await;
    drop(trainings);
    let _ = jobs.await;
    let _ = webhooks.await;
    tracing::info!("stopped");
    Ok(())
}

/// Says where the shop is and, as long as it has no owner, how to become it.
fn welcome(config: &Config, address: SocketAddr, shop: &Shop, screen: &Screen) -> Result<(), Fault> {
    let world_of = shop.clone();
    let token = shop.db.write(move |tx| setup_token(tx, &Actor::system(), &mut world_of.world()))?;
    let base_url = format!("http://{}", reachable(address));
    let link = token.map(|token| format!("{base_url}/setup?token={token}"));
    let database = screen_name(&config.database());
    let mut text = format!("Tandem serves {base_url} from {database}");
    if let Some(link) = &link {
        text += &format!("\nthe shop has no owner yet; become it, once, by this link: {link}");
    }
    screen.tell(&text, &json!({"address": base_url, "database": database, "setup_link": link}));
    Ok(())
}

/// Everything the shop does for its jobs, with the payment provider that is set.
async fn handlers(
    config: &Config,
    shop: &Shop,
    address: SocketAddr,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<Handlers, Fault> {
    let caller = Caller::with(PROVIDER_WAIT_MAX, &trust(config)?, Reach::Anywhere);
    let carriers = Carriers::new(CarrierClient::new(caller.clone()), shop.keyring.clone());
    let stripe = StripeClient::new(account_caller(config)?, shop.keyring.clone());
    let handlers = with_mail(config, shop, address)?
        .with(carriers)
        .with(Payments::new(stripe.clone()))
        .with(Reconciliations::new(stripe));
    let base_url = match config.test_provider.as_str() {
        "" => return Ok(handlers),
        "here" => serve_test_provider(shop, address, stopped).await?,
        elsewhere => elsewhere.to_owned(),
    };
    tracing::warn!(provider = base_url, "payments go to the test provider: no money moves");
    let client = TestClient::new(base_url, caller);
    Ok(handlers.with(Payments::new(client.clone())).with(Reconciliations::new(client)))
}

/// What is done inside, and the handing over of mail if it is set where. Without it messages wait.
fn with_mail(config: &Config, shop: &Shop, address: SocketAddr) -> Result<Handlers, Fault> {
    if config.mail_server.is_empty() {
        return Ok(Handlers::new(job::registry()));
    }
    let here = || format!("http://{}", reachable(address));
    let public_address =
        if config.public_address.is_empty() { here() } else { config.public_address.clone() };
    let settings = connect::message::Settings {
        server: config.mail_server.clone(),
        user: config.mail_user.clone(),
        password: config.mail_password.clone(),
        from: config.mail_from.clone(),
        public_address,
    };
    let roots = Some(config.root_certificates.as_path()).filter(|file| !file.as_os_str().is_empty());
    let mail = Mail::new(&settings, roots, shop.clone())
        .map_err(|why| Fault::Environment(format!("settings: {why}")))?;
    Ok(Handlers::new(job::registry().on(message::SEND, message::send::leave)).with(mail))
}

/// What asks the payment accounts, which lie where the books say.
///
/// # Errors
/// When the root certificates of the settings cannot be read.
pub fn account_caller(config: &Config) -> Result<Caller, Fault> {
    let reach = if config.payments_to_private_addresses { Reach::Anywhere } else { Reach::Public };
    Ok(Caller::with(PROVIDER_WAIT_MAX, &trust(config)?, reach))
}

/// What asks the retailer's own sign-on while somebody waits to be let in.
fn outside(config: &Config) -> Result<Outside, Fault> {
    let reach = if config.sign_on_to_private_addresses { Reach::Anywhere } else { Reach::Public };
    let caller = Caller::with(SIGN_ON_WAIT_MAX, &trust(config)?, reach);
    Ok(Outside::new(move |question: Question| {
        let caller = caller.clone();
        Box::pin(async move {
            let headers: Vec<(&str, &str)> =
                question.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = match question.form {
                Some(form) => caller.post(&question.url, &headers, form).await,
                None => caller.get_with(&question.url, &headers).await,
            };
            answer.map(|(status, body)| (status.as_u16(), body)).map_err(|Unanswered(why)| why)
        })
    }))
}

/// What sends events to the retailer's other programs.
fn webhooks(config: &Config) -> Result<Webhooks, Fault> {
    let reach = if config.webhooks_to_private_addresses { Reach::Anywhere } else { Reach::Public };
    let caller = Caller::with(webhook::WAIT_MAX, &trust(config)?, reach);
    Ok(Webhooks::new(caller, http::event::as_sent))
}

/// Whom we believe when we call others by https.
///
/// # Errors
/// When the root certificates of the settings cannot be read.
pub fn trust(config: &Config) -> Result<Trust, Fault> {
    let file = &config.root_certificates;
    if file.as_os_str().is_empty() {
        return Ok(Trust::built_in());
    }
    Trust::and_those_in(file).map_err(|why| Fault::Environment(format!("settings: root_certificates: {why}")))
}

/// Starts the test provider on a free port of this machine; answers where it is.
async fn serve_test_provider(
    shop: &Shop,
    address: SocketAddr,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<String, Fault> {
    let doing = "starting the test provider";
    let listener =
        TcpListener::bind("127.0.0.1:0").await.map_err(|error| Fault::environment(doing, error))?;
    let base_url =
        TestProvider::base_url(listener.local_addr().map_err(|error| Fault::environment(doing, error))?);
    let provider = test_provider::play(&shop.keyring, &format!("http://{}", reachable(address)));
    tokio::spawn(async move { provider.serve(listener, stopped).await });
    Ok(base_url)
}

/// Where a browser on this machine finds our pages while nobody said how others do: by the name that browsers trust without encryption.
fn own_address(address: SocketAddr) -> String {
    let reachable = reachable(address);
    if reachable.ip().is_loopback() {
        format!("http://localhost:{}", reachable.port())
    } else {
        format!("http://{reachable}")
    }
}

/// The address under which we reach ourselves, when we serve on all of the machine's.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}

/// Waits for Ctrl-C or the signal TERM.
pub async fn wait_for_signal() {
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => tokio::select! { _ = interrupted => {}, _ = terminated.recv() => {} },
        Err(_) => drop(interrupted.await),
    }
    tracing::info!("asked to stop; finishing the requests under way");
}

/// Waits until whoever started the program closes its input, or is gone.
async fn wait_for_end_of_input() {
    let (teller, ended) = oneshot::channel();
    // A thread of its own: reading standard input cannot be given up, and must not keep the program from ending.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = teller.send(());
    });
    let _ = ended.await;
}
