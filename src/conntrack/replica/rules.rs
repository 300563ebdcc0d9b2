//! The rules that make what is kept exact. Tests break each to see that it is needed.
#![forbid(unsafe_code)]

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The second entry of a clash, which lists do not show, is passed over.
    ClashHidden,
    /// What every event tells is absent where one leaves it out.
    ToldAlways,
    /// What an event tells that a request has caused, too.
    ToldByRequest,
    /// A new flow has nothing of one that was there.
    NewReplaces,
    /// A new flow is not missed if a dump does not show it.
    NewIsBorn,
    /// What an event said of a new flow wins over the dump.
    NewTouches,
    /// But for what no event says.
    NewLeavesCounted,
    /// A new flow with another id shows that the one before has ended.
    NewEndsOther,
    /// What an update leaves out stays.
    UpdateMerges,
    /// What an update said wins over the dump.
    UpdateTouches,
    /// An update with another id is of another flow.
    UpdateAfresh,
    /// In a dump an update makes known what was not.
    UpdateInserts,
    /// Unless that has ended.
    UpdateOfDead,
    /// Else the kernel is asked.
    UpdateAsks,
    /// A flow that has ended is dead for the dump.
    DestroyBuries,
    /// But not another life of its tuple.
    DestroyBuriesOne,
    /// The end of another life does not end this one.
    DestroyOfOne,
    /// And tells nothing of it.
    DestroyTouchesNone,
    /// A dump shows flows that are about to be removed.
    DyingIgnored,
    /// And such that were removed after they were read.
    DeadIgnored,
    /// Those that live again, too.
    DeadForGood,
    /// What an event said wins.
    TouchedWins,
    /// What no event said is as the dump shows it.
    UntouchedTaken,
    /// Absence, too.
    AbsenceTaken,
    /// What began at another time is another life, though its id is the same.
    StartTells,
    /// A life that an event told of is not replaced by an older one.
    OtherIgnored,
    /// One that none told of in this epoch is.
    OtherReplaces,
    /// A dump that failed shows not all.
    EndFailed,
    /// Nor one during which messages were lost.
    EndLost,
    /// As an error tells, too.
    EndOverrun,
    /// Nor one of a table that was resized.
    EndResized,
    /// Or that shows a flow twice.
    EndTwice,
    /// What it does not show is gone.
    MissingGone,
    /// What was touched and what died counts in its epoch only.
    EpochForgets,
    /// After lost messages all is compared.
    OverrunResyncs,
}

#[cfg(test)]
impl Rule {
    pub const ALL: [Self; 35] = [
        Self::ClashHidden,
        Self::ToldAlways,
        Self::ToldByRequest,
        Self::NewReplaces,
        Self::NewIsBorn,
        Self::NewTouches,
        Self::NewLeavesCounted,
        Self::NewEndsOther,
        Self::UpdateMerges,
        Self::UpdateTouches,
        Self::UpdateAfresh,
        Self::UpdateInserts,
        Self::UpdateOfDead,
        Self::UpdateAsks,
        Self::DestroyBuries,
        Self::DestroyBuriesOne,
        Self::DestroyOfOne,
        Self::DestroyTouchesNone,
        Self::DyingIgnored,
        Self::DeadIgnored,
        Self::DeadForGood,
        Self::TouchedWins,
        Self::UntouchedTaken,
        Self::AbsenceTaken,
        Self::StartTells,
        Self::OtherIgnored,
        Self::OtherReplaces,
        Self::EndFailed,
        Self::EndLost,
        Self::EndOverrun,
        Self::EndResized,
        Self::EndTwice,
        Self::MissingGone,
        Self::EpochForgets,
        Self::OverrunResyncs,
    ];
}
