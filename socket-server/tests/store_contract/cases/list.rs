//! Every case by name.

use std::{future::Future, pin::Pin, sync::Arc};

use socket_server::store::{Store, TransferStore};

use super::{accounts, events, hosts, keys, moving, rollups, samples, sessions};

pub(crate) type Case<S = dyn Store> = Box<dyn Fn(Arc<S>) -> Pin<Box<dyn Future<Output = ()> + Send>>>;

macro_rules! cases {
    ($($module:ident :: $name:ident),* $(,)?) => {
        vec![$((stringify!($name), Box::new(|store: Arc<dyn Store>| -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin($module::$name(store))
        }) as Case)),*]
    };
}

pub(crate) fn all() -> Vec<(&'static str, Case)> {
    cases![
        accounts::an_account_is_found_by_id_and_by_name_in_any_case,
        accounts::a_name_is_taken_once,
        accounts::only_one_first_account_wins_a_race,
        accounts::a_new_password_ends_all_sessions_of_its_account_only,
        sessions::a_token_rotates_once_even_in_a_race,
        sessions::an_ended_family_cannot_rotate,
        sessions::expired_sessions_are_removed,
        keys::a_key_is_found_by_its_hash_until_revoked,
        keys::a_key_cannot_be_revoked_by_another_account,
        keys::keys_are_listed_oldest_first_for_their_account_only,
        keys::use_of_a_key_is_noted,
        hosts::a_host_is_seen_by_its_account_only,
        hosts::a_host_is_replaced_whole,
        hosts::a_deleted_host_takes_its_samples_along,
        hosts::a_host_cannot_be_deleted_by_another_account,
        samples::what_was_appended_is_read_back_by_time,
        samples::batches_that_overlap_are_read_by_time,
        samples::the_same_sample_twice_is_one_sample,
        samples::the_same_sample_in_concurrent_appends_is_one_sample,
        samples::settled_ranges_have_holes_until_they_are_filled,
        samples::a_reported_drop_settles_its_range_and_is_listed,
        samples::epochs_are_settled_apart,
        samples::hosts_are_kept_apart,
        samples::counters_become_rates_and_a_reset_has_none,
        samples::a_window_and_a_limit_hold,
        samples::series_are_named_within_the_window,
        samples::a_clock_that_is_years_off_hides_nothing,
        rollups::minutes_hold_min_max_sum_last_and_count,
        rollups::hours_hold_what_minutes_hold,
        rollups::maintenance_changes_no_answer,
        rollups::late_samples_change_a_rolled_up_minute,
        rollups::late_samples_after_maintenance_are_idempotent_too,
        samples::a_counter_beyond_63_bits_keeps_nothing_from_being_stored,
        events::rollouts_are_listed_by_start_within_the_window,
        events::a_rollout_told_again_is_one_rollout_with_its_latest_outcome,
        events::the_last_answer_to_each_question_is_kept,
        events::an_answer_outlives_the_samples_of_its_time,
        events::a_deleted_host_takes_its_answers_along,
    ]
}

macro_rules! moves {
    ($($name:ident),* $(,)?) => {
        vec![$((stringify!($name), Box::new(|store: Arc<dyn TransferStore>| -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(moving::$name(store))
        }) as Case<dyn TransferStore>)),*]
    };
}

/// What every store promises to a move.
pub(crate) fn moves() -> Vec<(&'static str, Case<dyn TransferStore>)> {
    moves![
        what_is_moved_in_and_out_again_is_the_same,
        windows_lead_from_samples_to_samples,
    ]
}

/// What a store that keeps roll-ups promises besides.
pub(crate) fn moves_with_rollups() -> Vec<(&'static str, Case<dyn TransferStore>)> {
    let mut cases = moves();
    cases.extend(moves![
        roll_ups_are_added_once_and_read_back,
        what_is_kept_only_moves_forward,
    ]);
    cases
}

/// Says which case runs, so that a failure names it; shown only for a failed test.
pub(crate) fn say(name: &str) {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "case: {name}").expect("stderr can be written");
}
