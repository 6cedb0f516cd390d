//! A participant: a wallet that may own meters and trade.
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct Participant {
    /// The key that signs deposits, withdrawals and mandates.
    pub wallet: Pubkey,
    /// Grid zone of the participant's meters.
    pub zone: [u8; 16],
    /// 1 active, 2 suspended, 3 retired.
    pub status: u8,
    /// Time of registration, in Unix seconds.
    pub registered_at_s: i64,
    /// Bump seed of this account's address.
    pub bump: u8,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Config, ACTIVE};
    use governance::registry::{Electorate, Voter, REGISTRY};

    #[test]
    fn governance_reads_a_participant_as_it_is_written() {
        let (wallet, mut data) = (Pubkey::new_from_array([7; 32]), vec![]);
        let mut participant = Participant {
            wallet,
            zone: [9; 16],
            status: ACTIVE,
            registered_at_s: 1_750_000_500,
            bump: 254,
        };
        participant.try_serialize(&mut data).unwrap();
        let voter = Voter::try_deserialize(&mut &data[..]).unwrap();
        assert_eq!(
            (voter.wallet, voter.registered_at_s),
            (wallet, 1_750_000_500)
        );
        assert!(voter.is_active());
        participant.status = crate::state::SUSPENDED;
        data.clear();
        participant.try_serialize(&mut data).unwrap();
        assert!(!Voter::try_deserialize(&mut &data[..]).unwrap().is_active());
    }

    #[test]
    fn governance_reads_the_number_of_participants_as_it_is_written() {
        let mut data = vec![];
        let config = Config {
            registrar: Pubkey::new_from_array([2; 32]),
            participant_count: 15,
            next_proposal_index: 3,
            bump: 254,
        };
        config.try_serialize(&mut data).unwrap();
        let electorate = Electorate::try_deserialize(&mut &data[..]).unwrap();
        assert_eq!(electorate.participant_count, 15);
        assert!(Voter::try_deserialize(&mut &data[..]).is_err());
        assert_eq!(REGISTRY, crate::ID);
    }
}
