//! The rows of rewards: what is given for points, and what members were given.

use domain::loyalty::points::MemberState;
use domain::loyalty::reward::{Gives, Kind, State, Terms};
use domain::promotion::limit::Period;
use domain::value::id::{
    LoyaltyProgramme, Member, Promotion, Redemption as RedemptionKind, Reward as RewardKind,
};
use domain::value::{Currency, Id, Instant, Money};

use crate::check::FINDINGS_MAX;
use crate::{Row, StoreError, Tx, params};

/// What is given for points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reward {
    /// Its identity.
    pub id: Id<RewardKind>,
    /// The programme.
    pub programme: Id<LoyaltyProgramme>,
    /// The short word it goes by.
    pub code: String,
    /// What is said of it.
    pub terms: Terms,
    /// How many were given and not taken back.
    pub given: i64,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was made.
    pub made_at: Instant,
}

/// Points of a member exchanged for a reward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// The member.
    pub member: Id<Member>,
    /// Its identity.
    pub id: Id<RedemptionKind>,
    /// Whose points paid: the member's own, or his household's.
    pub paid_by: Id<Member>,
    /// The reward.
    pub reward: Id<RewardKind>,
    /// In which form.
    pub kind: Kind,
    /// The coupon, gift card or store credit: the bytes of its id.
    pub outcome: [u8; 16],
    /// What the coupon opens.
    pub promotion: Option<Id<Promotion>>,
    /// How much money, in minor units.
    pub minor: Option<i64>,
    /// For how many points.
    pub points: i64,
    /// What became of it.
    pub state: State,
    /// When.
    pub made_at: Instant,
    /// When it was taken back.
    pub taken_back_at: Option<Instant>,
}

fn reward(row: &mut Row<'_>) -> Result<Reward, StoreError> {
    let (id, programme, code, name) = (row.id()?, row.id()?, row.text()?, row.text()?);
    let kind = row.word(Kind::coded)?;
    let (promotion, minor) = (row.id_or_null()?, row.int_or_null()?);
    let currency = row.value_or_null(Currency::parse)?;
    let money = minor.zip(currency).and_then(|(minor, currency)| Money::new(minor, currency).ok());
    let gives = match kind {
        Kind::Coupon => promotion.map(Gives::Coupon),
        Kind::GiftCard => money.map(Gives::GiftCard),
        Kind::StoreCredit => money.map(Gives::StoreCredit),
    };
    let gives = gives.ok_or_else(|| StoreError::Corrupt(format!("reward {id} gives nothing")))?;
    let (points, given) = (row.int()?, row.int()?);
    let terms = Terms {
        name,
        gives,
        points,
        given_max: row.int_or_null()?,
        member_max: row.int_or_null()?,
        period: row.word(Period::coded)?,
        tier: row.text_or_null()?,
        active: row.yes()?,
    };
    Ok(Reward { id, programme, code, terms, given, version: row.int()?, made_at: row.instant()? })
}

fn redemption(row: &mut Row<'_>) -> Result<Redemption, StoreError> {
    Ok(Redemption {
        member: row.id()?,
        id: row.id()?,
        paid_by: row.id()?,
        reward: row.id()?,
        kind: row.word(Kind::coded)?,
        outcome: row.key()?,
        promotion: row.id_or_null()?,
        minor: row.int_or_null()?,
        points: row.int()?,
        state: row.word(State::coded)?,
        made_at: row.instant()?,
        taken_back_at: row.instant_or_null()?,
    })
}

/// What it gives, as it is stored: the promotion, or the money.
fn stored(gives: Gives) -> (Option<Id<Promotion>>, Option<i64>, Option<&'static str>) {
    match gives {
        Gives::Coupon(promotion) => (Some(promotion), None, None),
        Gives::GiftCard(money) | Gives::StoreCredit(money) => {
            (None, Some(money.minor()), Some(money.currency().code()))
        }
    }
}

/// Adds a reward.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Reward) -> Result<(), StoreError> {
    let (promotion, minor, currency) = stored(one.terms.gives);
    tx.execute(
        "insert into reward (reward_id, loyalty_programme_id, code, name, kind, promotion_id, minor, currency, points, given, given_max,
             member_max, period, tier, active, version, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, $13, $14, $15, $16)",
        params![
            one.id,
            one.programme,
            &one.code,
            &one.terms.name,
            one.terms.gives.kind().code(),
            promotion,
            minor,
            currency,
            one.terms.points,
            one.terms.given_max,
            one.terms.member_max,
            one.terms.period.code(),
            one.terms.tier.as_deref(),
            one.terms.active,
            one.version,
            one.made_at
        ],
    )?;
    Ok(())
}

/// Writes what is said of a reward, if it still has the version before; false when it has not.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &Reward) -> Result<bool, StoreError> {
    let (promotion, minor, currency) = stored(one.terms.gives);
    let touched = tx.execute(
        "update reward set name = $3, kind = $4, promotion_id = $5, minor = $6, currency = $7, points = $8, given_max = $9, member_max = $10,
             period = $11, tier = $12, active = $13, version = version + 1
         where reward_id = $1 and version = $2",
        params![
            one.id,
            one.version - 1,
            &one.terms.name,
            one.terms.gives.kind().code(),
            promotion,
            minor,
            currency,
            one.terms.points,
            one.terms.given_max,
            one.terms.member_max,
            one.terms.period.code(),
            one.terms.tier.as_deref(),
            one.terms.active
        ],
    )?;
    Ok(touched == 1)
}

/// Counts one more reward as given, unless none is left of those there are; false then.
///
/// # Errors
/// What the store says.
pub fn take_one(tx: &mut Tx<'_>, id: Id<RewardKind>) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update reward set given = given + 1 where reward_id = $1 and (given_max is null or given < given_max)",
        params![id],
    )?;
    Ok(touched == 1)
}

/// Counts one reward less as given.
///
/// # Errors
/// What the store says.
pub fn put_one_back(tx: &mut Tx<'_>, id: Id<RewardKind>) -> Result<(), StoreError> {
    tx.execute("update reward set given = given - 1 where reward_id = $1", params![id])?;
    Ok(())
}

/// A reward.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<RewardKind>) -> Result<Option<Reward>, StoreError> {
    tx.one(
        "select reward_id, loyalty_programme_id, code, name, kind, promotion_id, minor, currency, points, given, given_max, member_max, period,
             tier, active, version, made_at from reward where reward_id = $1",
        params![id],
        reward,
    )
}

/// The rewards of a programme, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, programme: Id<LoyaltyProgramme>, limit: i64) -> Result<Vec<Reward>, StoreError> {
    tx.rows(
        "select reward_id, loyalty_programme_id, code, name, kind, promotion_id, minor, currency, points, given, given_max, member_max, period,
             tier, active, version, made_at from reward where loyalty_programme_id = $1 order by reward_id limit $2",
        params![programme, limit],
        reward,
    )
}

/// Notes what a member was given.
///
/// # Errors
/// What the store says.
pub fn add_redemption(tx: &mut Tx<'_>, one: &Redemption) -> Result<(), StoreError> {
    tx.execute(
        "insert into redemption (member_id, redemption_id, paid_by_id, reward_id, kind, outcome_id, promotion_id, minor, points, state, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            one.member,
            one.id,
            one.paid_by,
            one.reward,
            one.kind.code(),
            one.outcome,
            one.promotion,
            one.minor,
            one.points,
            one.state.code(),
            one.made_at
        ],
    )?;
    Ok(())
}

/// Notes that what a member was given was taken back.
///
/// # Errors
/// What the store says.
pub fn take_back(tx: &mut Tx<'_>, one: &Redemption) -> Result<(), StoreError> {
    tx.execute(
        "update redemption set state = $3, taken_back_at = $4 where member_id = $1 and redemption_id = $2",
        params![one.member, one.id, one.state.code(), one.taken_back_at],
    )?;
    Ok(())
}

/// What a member was given, locked until the commit.
///
/// # Errors
/// What the store says.
pub fn lock_redemption(
    tx: &mut Tx<'_>,
    member: Id<Member>,
    id: Id<RedemptionKind>,
) -> Result<Option<Redemption>, StoreError> {
    tx.one(
        "select member_id, redemption_id, paid_by_id, reward_id, kind, outcome_id, promotion_id, minor, points, state, made_at, taken_back_at
         from redemption where member_id in (select cast($1 as {bytes}) union all select m.member_id from member m where m.pool_id = $1 and m.state = $3)
             and redemption_id = $2 {lock}",
        params![member, id, MemberState::Merged.code()],
        redemption,
    )
}

/// What a member was given before something, the newest first.
///
/// # Errors
/// What the store says.
pub fn redemptions(
    tx: &mut Tx<'_>,
    member: Id<Member>,
    before: Id<RedemptionKind>,
    limit: i64,
) -> Result<Vec<Redemption>, StoreError> {
    tx.rows(
        "select member_id, redemption_id, paid_by_id, reward_id, kind, outcome_id, promotion_id, minor, points, state, made_at, taken_back_at
         from redemption where member_id in (select cast($1 as {bytes}) union all select m.member_id from member m where m.pool_id = $1 and m.state = $4)
             and redemption_id < $2 order by redemption_id desc limit $3",
        params![member, before, limit, MemberState::Merged.code()],
        redemption,
    )
}

/// How many of a reward a member was given since an instant, and kept, with those who were merged into him.
///
/// # Errors
/// What the store says.
pub fn given_since(
    tx: &mut Tx<'_>,
    (member, reward): (Id<Member>, Id<RewardKind>),
    since: Instant,
) -> Result<i64, StoreError> {
    let found = tx.one(
        "select count(*) from redemption where member_id in (select cast($1 as {bytes}) union all select m.member_id from member m where m.pool_id = $1 and m.state = $5)
             and reward_id = $2 and state = $3 and made_at >= $4",
        params![member, reward, State::Given.code(), since, MemberState::Merged.code()],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}

/// Rewards of which members have another number than is counted as given, and redemptions whose points are not those taken from lots: the id
/// in bytes, what redemptions say, and what is noted.
///
/// # Errors
/// What the store says.
pub fn unequal(tx: &mut Tx<'_>) -> Result<Vec<(Id<RewardKind>, i64, i64)>, StoreError> {
    tx.rows(
        "select w.reward_id, cast(count(r.redemption_id) as {int}), w.given from reward w
         left join redemption r on r.reward_id = w.reward_id and r.state = $1 group by w.reward_id, w.given
         having count(r.redemption_id) <> w.given
         union all
         select r.reward_id, case when r.state = $1 then r.points else 0 end, cast(coalesce(sum(u.points), 0) as {int})
         from redemption r left join point_use u on u.member_id = r.paid_by_id and u.payment_id = r.redemption_id
         group by r.member_id, r.redemption_id, r.reward_id, r.state, r.points
         having coalesce(sum(u.points), 0) <> case when r.state = $1 then r.points else 0 end
         limit $2",
        params![State::Given.code(), FINDINGS_MAX],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}
