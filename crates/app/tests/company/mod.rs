//! A carrier that stands beside the shop and outlives its crashes.

use std::sync::Arc;
use std::time::Duration;

use connect::test_carrier::{Settings, TestCarrier};
use domain::fulfilment::parcel::CarrierKind;
use domain::value::hours::CutOffs;
use engine::fulfilment::carrier::{self, NewCarrier};
use sim::TestShop;
use sim::shop::Simulated;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The secret shared with the test carrier.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The carrier, and what it runs on.
pub struct Company {
    /// What it was asked to carry.
    pub carrier: TestCarrier,
    url: String,
    _runtime: Runtime,
}

impl Company {
    /// Opens it.
    pub fn open() -> Company {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = TestCarrier::base_url(listener.local_addr().unwrap());
        let carrier = TestCarrier::new(Settings {
            webhook_url: None,
            secret: SECRET.into(),
            source: Arc::new(Simulated::new(1)),
            step: Duration::from_millis(50),
            hang_for: Duration::from_millis(200),
        });
        let serving = carrier.clone();
        runtime.spawn(async move { serving.serve(listener, std::future::pending()).await });
        Company { carrier, url, _runtime: runtime }
    }

    /// The shop sends parcels with it, by the code `test`.
    pub fn works_for(&self, shop: &TestShop) {
        let new = NewCarrier {
            code: "test".into(),
            name: "Test carrier".into(),
            external_id: Some("test".into()),
            kind: CarrierKind::Test,
            tracking_url: None,
            url: Some(self.url.clone()),
            secret: Some(SECRET.into()),
            services: vec!["standard".into()],
            collections: CutOffs::parse("mo-su 24:00").unwrap(),
            attempts_max: 3,
        };
        shop.run(move |tx, actor, world| carrier::create(tx, actor, world, new.clone())).unwrap();
    }
}
