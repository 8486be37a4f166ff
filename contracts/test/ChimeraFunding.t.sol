// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IPoolConfigurator} from "aave-v3/interfaces/IPoolConfigurator.sol";

import {Chimera} from "../src/Chimera.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Audit} from "./fixtures/Audit.sol";
import {BalancerV2, BalancerV3Vault} from "./fixtures/BalancerVaults.sol";
import {MorphoMarket} from "./fixtures/MorphoMarket.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Every source of the debt token but the flash swap: flash loans and the treasury's own tokens.
contract ChimeraFundingTest is Audit {
    /// @dev Token units each lender has to lend.
    uint256 private constant LENDABLE = 1_000_000e6;

    address private morpho;
    /// @dev USDC that the sale of all collateral seized for half the debt brings.
    uint256 private proceeds;

    function setUp() public override {
        super.setUp();
        _setWethPrice(LOW_WETH_PRICE);
        morpho = address(new MorphoMarket().morpho());
        usdc.mint(morpho, LENDABLE);
        _list(morpho, Roles.Kind.MorphoBlue);
        proceeds = _worthOf(pool, address(weth), _seizedAtLowPrice(HALF_DEBT));
    }

    /// @dev The funds come from `source`; the exit is the sale of everything that was seized.
    function _funded(bytes memory source) private view returns (Liquidation memory job) {
        job = _job(bytes.concat(source, Plans.liquidate(), _sell(10_000)));
        job.flags = Plans.PROFIT_IN_DEBT;
    }

    function _sell(uint256 shareBps) private pure returns (bytes memory) {
        return Plans.sell(shareBps, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE));
    }

    function _setAavePremium(uint128 bps) private {
        IPoolConfigurator configurator = IPoolConfigurator(aave.ADDRESSES_PROVIDER().getPoolConfigurator());
        vm.prank(address(market));
        configurator.updateFlashloanPremium(bps);
    }

    function _runFunded(bytes memory source, uint256 fee) private {
        Chimera.Outcome memory outcome = _audited(_funded(source));

        vm.assertEq(outcome.flashFee, fee, "fee");
        vm.assertEq(outcome.swapOutput, proceeds, "swap output");
        vm.assertEq(outcome.profit, proceeds - HALF_DEBT - fee, "profit");
    }

    // --------------------------------------------------------------------------------------------- flash loans

    function test_morpho_lends_for_nothing() public {
        _runFunded(Plans.loan(morpho, HALF_DEBT), 0);

        vm.assertEq(usdc.balanceOf(morpho), LENDABLE, "repaid");
    }

    function test_aave_lends_for_a_premium() public {
        _setAavePremium(5);

        _runFunded(Plans.loan(address(aave), HALF_DEBT), HALF_DEBT * 5 / 10_000);
    }

    function test_balancer_v2_lends_for_nothing() public {
        address vault = address(new BalancerV2().vault());
        _list(vault, Roles.Kind.BalancerV2);
        usdc.mint(vault, LENDABLE);

        _runFunded(Plans.loan(vault, HALF_DEBT), 0);

        vm.assertEq(usdc.balanceOf(vault), LENDABLE, "repaid");
    }

    function test_balancer_v2_lends_for_a_fee() public {
        BalancerV2 balancer = new BalancerV2();
        balancer.setFlashFee(0.001e18);
        address vault = address(balancer.vault());
        _list(vault, Roles.Kind.BalancerV2);
        usdc.mint(vault, LENDABLE);

        _runFunded(Plans.loan(vault, HALF_DEBT), HALF_DEBT / 1_000);

        uint256 collected = usdc.balanceOf(address(balancer.vault().getProtocolFeesCollector()));
        vm.assertEq(collected, HALF_DEBT / 1_000, "fee collected");
    }

    function test_balancer_v3_lends_for_nothing() public {
        BalancerV3Vault vault = new BalancerV3Vault();
        _list(address(vault), Roles.Kind.BalancerV3);
        usdc.mint(address(vault), LENDABLE);
        vault.seed(IERC20(address(usdc)));

        _runFunded(Plans.loan(address(vault), HALF_DEBT), 0);

        vm.assertEq(vault.getReservesOf(IERC20(address(usdc))), LENDABLE, "settled");
    }

    /// @dev What somebody sent to the vault is not ours to be credited with.
    function test_balancer_v3_keeps_a_donation() public {
        BalancerV3Vault vault = new BalancerV3Vault();
        _list(address(vault), Roles.Kind.BalancerV3);
        usdc.mint(address(vault), LENDABLE);
        vault.seed(IERC20(address(usdc)));
        usdc.mint(address(vault), 100e6);

        _runFunded(Plans.loan(address(vault), HALF_DEBT), 0);

        vm.assertEq(usdc.balanceOf(address(vault)), LENDABLE + 100e6, "repaid in full");
    }

    function test_two_loans_add_up_and_so_do_their_fees() public {
        _setAavePremium(5);
        BalancerV2 balancer = new BalancerV2();
        balancer.setFlashFee(0.001e18);
        address vault = address(balancer.vault());
        _list(vault, Roles.Kind.BalancerV2);
        usdc.mint(vault, LENDABLE);
        bytes memory loans = bytes.concat(Plans.loan(vault, 4_000e6), Plans.loan(address(aave), 3_500e6));

        _runFunded(loans, 4_000e6 / 1_000 + 3_500e6 * 5 / 10_000);
    }

    function test_one_lender_lends_twice() public {
        _runFunded(bytes.concat(Plans.loan(morpho, 4_000e6), Plans.loan(morpho, 3_500e6)), 0);
    }

    function test_a_loan_and_a_flash_swap_share_the_debt() public {
        bytes memory steps = bytes.concat(
            Plans.loan(morpho, 4_000e6), Plans.buy(3_500e6, Plans.uniswap(Plans.COLLATERAL, FEE)), Plans.liquidate()
        );
        // The flash swap is paid when its steps are done; nothing is left to bring the loan back with.
        _runReverts(_job(steps), abi.encodeWithSelector(Program.CannotRepay.selector, usdc, 0, 4_000e6));

        dex.open(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, 3000, 10_000e18);
        bytes memory sale = Plans.sell(5_400, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, 3000));
        Chimera.Outcome memory outcome = _audited(_job(bytes.concat(steps, sale)));
        vm.assertEq(outcome.debtCovered, HALF_DEBT, "debt covered");
    }

    /// @dev Aave takes half of the debt and no more.
    function test_what_a_loan_brings_beyond_what_the_market_takes_goes_back() public {
        Chimera.Outcome memory outcome = _audited(_funded(Plans.loan(morpho, 100_000e6)));

        vm.assertEq(outcome.debtCovered, HALF_DEBT, "debt covered");
        vm.assertEq(outcome.profit, proceeds - HALF_DEBT, "profit");
        vm.assertEq(usdc.balanceOf(morpho), LENDABLE, "repaid");
    }

    // ----------------------------------------------------------------------------------------------- inventory

    function _approve(uint256 amount) private {
        vm.prank(treasury);
        usdc.approve(address(chimera), amount);
    }

    function _stock(uint256 amount) private {
        usdc.mint(treasury, amount);
        _approve(amount);
    }

    function test_the_treasurys_tokens_come_back_in_full_and_are_no_profit() public {
        _stock(10_000e6);

        _runFunded(Plans.inventory(HALF_DEBT), 0);

        vm.assertEq(usdc.balanceOf(treasury), 10_000e6 + proceeds - HALF_DEBT, "treasury");
        vm.assertEq(usdc.allowance(treasury, address(chimera)), 10_000e6 - HALF_DEBT, "allowance left");
    }

    function test_tokens_of_the_treasury_that_were_not_needed_are_no_profit() public {
        _stock(100_000e6);

        _runFunded(Plans.inventory(100_000e6), 0);
    }

    function test_the_profit_floor_does_not_count_the_treasurys_tokens() public {
        _stock(100_000e6);
        Liquidation memory job = _funded(Plans.inventory(100_000e6));
        uint256 profit = proceeds - HALF_DEBT;
        job.minProfit = profit + 1;

        _runReverts(job, abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, profit, profit + 1));
    }

    function test_the_treasury_lends_beside_a_flash_loan() public {
        _stock(3_500e6);

        _runFunded(bytes.concat(Plans.loan(morpho, 4_000e6), Plans.inventory(3_500e6)), 0);
        vm.assertEq(usdc.balanceOf(treasury), 3_500e6 + proceeds - HALF_DEBT, "treasury");
    }

    function test_without_an_allowance_nothing_is_taken_from_the_treasury() public {
        usdc.mint(treasury, 10_000e6);
        Liquidation memory job = _funded(Plans.inventory(HALF_DEBT));

        _runReverts(job, TestToken.InsufficientAllowance.selector);
        _approve(HALF_DEBT - 1);
        _runReverts(job, TestToken.InsufficientAllowance.selector);
        _approve(HALF_DEBT);
        _audited(job);
    }

    /// @dev What an executor could try that wants to see the treasury's tokens gone. 10,000 USDC are there; the
    ///      liquidation takes half the debt of it.
    function test_no_plan_keeps_or_loses_the_treasurys_tokens() public {
        _stock(10_000e6);
        bytes memory source = Plans.inventory(10_000e6);
        bytes memory buyWeth = Plans.sell(10_000, Plans.token(Plans.COLLATERAL), Plans.uniswap(Plans.DEBT, FEE));

        // Kept as collateral, where it would count as profit.
        _cannotReturn(bytes.concat(source, Plans.liquidate(), buyWeth), 0, 10_000e6);
        // The seized collateral kept.
        _cannotReturn(bytes.concat(source, Plans.liquidate()), 10_000e6 - HALF_DEBT, 10_000e6);
        // Lent on to a borrower of our choice: to itself, through a second INVENTORY.
        _approve(20_000e6);
        _runReverts(_job(bytes.concat(source, source, Plans.liquidate())), TestToken.InsufficientBalance.selector);
        // Back and forth through a pool, which keeps its fee.
        uint256 left = _worthOf(pool, address(weth), _worthOf(pool, address(usdc), 10_000e6));
        (bytes4 selector,) = _errorOf(_job(bytes.concat(source, buyWeth, _sell(10_000), Plans.liquidate())));
        vm.assertTrue(left < 10_000e6 && selector == Program.CannotRepay.selector, "back and forth");
        // Without a liquidation at all.
        _runReverts(_job(source), Chimera.NothingLiquidated.selector);

        vm.assertEq(usdc.balanceOf(treasury), 10_000e6, "treasury");
    }

    function _cannotReturn(bytes memory steps, uint256 held, uint256 owed) private {
        _runReverts(_job(steps), abi.encodeWithSelector(Program.CannotRepay.selector, usdc, held, owed));
    }

    // ---------------------------------------------------------------------------------------- no exit, no funds

    /// @dev 10 WETH and 10,000 USDC against 11 WETH, at 3,300 USD: health factor 0.977. The loan is the whole plan:
    ///      what is seized is what is owed.
    function test_collateral_and_debt_may_be_the_same_token() public {
        address account = _account("same token");
        market.setPrice(address(weth), WETH_PRICE);
        _supply(account, weth, 10e18);
        _supply(account, usdc, 10_000e6);
        _borrow(account, weth, 11e18);
        market.setPrice(address(weth), 3_300e8);
        _setAavePremium(5);
        Liquidation memory job = _job(bytes.concat(Plans.loan(address(aave), 4e18), Plans.liquidate()));
        (job.borrower, job.debt) = (account, address(weth));
        uint256 seized = _aaveSeizes(4e18, 3_300e8, 1e18, 3_300e8, 1e18);

        for (uint8 flags; flags < 3; ++flags) {
            job.flags = flags | Plans.MEASURE_FEE;
            uint256 before = vm.snapshotState();
            Chimera.Outcome memory outcome = _audited(job);
            vm.revertToState(before);

            vm.assertEq(outcome.collateralSeized, seized, "seized");
            vm.assertEq(outcome.profit, seized - 4e18 - 4e18 * 5 / 10_000, "profit");
        }
    }

    function test_the_same_token_with_more_offered_than_the_market_takes() public {
        address account = _account("same token");
        market.setPrice(address(weth), WETH_PRICE);
        _supply(account, weth, 10e18);
        _supply(account, usdc, 10_000e6);
        _borrow(account, weth, 11e18);
        market.setPrice(address(weth), 3_300e8);
        Liquidation memory job = _job(bytes.concat(Plans.loan(address(aave), 9e18), Plans.liquidate()));
        (job.borrower, job.debt) = (account, address(weth));

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(outcome.debtCovered, 5.5e18, "half of the debt");
        vm.assertEq(outcome.profit, outcome.collateralSeized - 5.5e18, "profit");
    }

    function test_an_exit_that_brings_too_little_cannot_repay() public {
        _setAavePremium(5);
        dex.moveTo(pool, weth, LOW_WETH_PRICE * 90 / 100, usdc, USDC_PRICE);
        uint256 held = _worthOf(pool, address(weth), _seizedAtLowPrice(HALF_DEBT));

        _runReverts(
            _funded(Plans.loan(address(aave), HALF_DEBT)),
            abi.encodeWithSelector(Program.CannotRepay.selector, usdc, held, HALF_DEBT + HALF_DEBT * 5 / 10_000)
        );
        _runReverts(
            _funded(Plans.loan(morpho, HALF_DEBT)),
            abi.encodeWithSelector(Program.CannotRepay.selector, usdc, held, HALF_DEBT)
        );
    }

    function test_a_vault_that_wants_more_than_there_is_left() public {
        BalancerV2 balancer = new BalancerV2();
        BalancerV3Vault v3 = new BalancerV3Vault();
        _list(address(balancer.vault()), Roles.Kind.BalancerV2);
        _list(address(v3), Roles.Kind.BalancerV3);
        usdc.mint(address(balancer.vault()), LENDABLE);
        usdc.mint(address(v3), LENDABLE);
        v3.seed(IERC20(address(usdc)));
        bytes memory error = abi.encodeWithSelector(Program.CannotRepay.selector, usdc, 0, HALF_DEBT);

        _runReverts(_job(bytes.concat(Plans.loan(address(balancer.vault()), HALF_DEBT), Plans.liquidate())), error);
        _runReverts(_job(bytes.concat(Plans.loan(address(v3), HALF_DEBT), Plans.liquidate())), error);
    }

    function test_only_a_listed_lender_is_asked() public {
        _refusesLender(stranger);
        _refusesLender(address(pool));
        _list(morpho, Roles.Kind.None);
        _refusesLender(morpho);
        // Listed, but no lender.
        Roles.Kind[3] memory others = [Roles.Kind.CompoundV2, Roles.Kind.Slipstream, Roles.Kind.Solidly];
        for (uint256 i; i < others.length; ++i) {
            _list(morpho, others[i]);
            _refusesLender(morpho);
        }
    }

    function _refusesLender(address account) private {
        _runReverts(
            _funded(Plans.loan(account, HALF_DEBT)),
            abi.encodeWithSelector(Program.UnknownCounterparty.selector, account)
        );
    }

    function test_a_lender_without_enough_to_lend() public {
        _runReverts(_funded(Plans.loan(morpho, LENDABLE + 1)), bytes("transfer reverted"));
    }
}
