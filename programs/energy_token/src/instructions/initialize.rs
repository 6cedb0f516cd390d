//! Creates the energy mint and the pool that holds all energy.
use crate::{
    errors::EnergyError,
    seeds,
    state::{State, ENERGY_DECIMALS, MINT_BYTES, TOKEN_ACCOUNT_BYTES},
    TRADING,
};
use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};
use anchor_spl::{
    token_2022::{self, Token2022},
    token_interface::{initialize_account3, initialize_mint2, InitializeAccount3, InitializeMint2},
};
use governance::Deployment;

#[derive(Accounts)]
pub struct Initialize<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The upgrade authority: it alone may replace the program's code.
    pub upgrade_authority: Signer<'info>,
    /// The loader's ProgramData account of this program.
    #[account(
        seeds = [crate::ID.as_ref()],
        seeds::program = bpf_loader_upgradeable::ID,
        bump,
        constraint = program_data.upgrade_authority == Some(upgrade_authority.key())
            @ EnergyError::NotUpgradeAuthority
    )]
    pub program_data: Account<'info, Deployment>,
    #[account(init, payer = payer, space = 8 + State::INIT_SPACE, seeds = [seeds::STATE], bump)]
    pub state: Box<Account<'info, State>>,
    /// CHECK: made here, empty, for the token program to fill in `make_mint`: Anchor's own way to initialize a mint
    /// needs every extension of Token-2022 compiled in.
    #[account(
        init,
        payer = payer,
        space = MINT_BYTES,
        owner = token_2022::ID,
        seeds = [seeds::MINT],
        bump
    )]
    pub mint: UncheckedAccount<'info>,
    /// CHECK: made here, empty, for the token program to fill in `make_pool` once there is a mint.
    #[account(
        init,
        payer = payer,
        space = TOKEN_ACCOUNT_BYTES,
        owner = token_2022::ID,
        seeds = [seeds::POOL],
        bump
    )]
    pub pool: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

impl Initialize<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let (market, _) = Pubkey::find_program_address(&[seeds::TRADING_MARKET], &TRADING);
        let accounts = ctx.accounts;
        accounts.make_mint()?;
        accounts.make_pool()?;
        accounts.state.set_inner(State {
            oracle: oracle::ID,
            trading_authority: market,
            mint: accounts.mint.key(),
            pool: accounts.pool.key(),
            minted_wh: 0,
            burned_wh: 0,
            bump: ctx.bumps.state,
        });
        Ok(())
    }

    /// Creates the mint: only the state's address mints, and nobody can freeze.
    fn make_mint(&self) -> Result<()> {
        let accounts = InitializeMint2 {
            mint: self.mint.to_account_info(),
        };
        let context = CpiContext::new(self.token_program.key(), accounts);
        initialize_mint2(context, ENERGY_DECIMALS, &self.state.key(), None)
    }

    fn make_pool(&self) -> Result<()> {
        let accounts = InitializeAccount3 {
            account: self.pool.to_account_info(),
            mint: self.mint.to_account_info(),
            authority: self.state.to_account_info(),
        };
        initialize_account3(CpiContext::new(self.token_program.key(), accounts))
    }
}
