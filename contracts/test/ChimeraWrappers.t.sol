// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Chimera} from "../src/Chimera.sol";
import {PlanReader} from "../src/PlanReader.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Swaps} from "../src/Swaps.sol";
import {Wrappers} from "../src/Wrappers.sol";
import {IUniswapV3PoolFull} from "./fixtures/Dex.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {RouteFixture} from "./fixtures/RouteFixture.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";
import {RateWrapper, TipTaxToken, Vault} from "./fixtures/Wrappers.sol";

/// @notice Collateral that must be taken apart before it can be sold. Each position is shaped like the fixture's:
///         `seized` units of collateral, worth 1,800 USD each, for 7,500 USD of debt.
contract ChimeraWrappersTest is RouteFixture {
    // ------------------------------------------------------------------------------------------------ plumbing

    /// @dev A liquidatable position with shares of a vault as collateral and USDC as debt, funded by Aave.
    function _vaultOver(TestToken inside) private returns (Vault vault, Liquidation memory job) {
        vault = new Vault(inside);
        _list(address(vault), Roles.Kind.Erc4626);
        job = _distressed(TestToken(address(vault)), usdc);
        job.flags = Plans.PROFIT_IN_DEBT;
    }

    function _wrapperOver(TestToken inside) private returns (RateWrapper wrapper, Liquidation memory job) {
        wrapper = new RateWrapper(inside);
        _list(address(wrapper), Roles.Kind.Unwrapper);
        job = _distressed(wrapper, usdc);
        job.flags = Plans.PROFIT_IN_DEBT;
    }

    function _then(bytes memory exit) private view returns (bytes memory) {
        return bytes.concat(Plans.loan(address(aave), HALF_DEBT), Plans.liquidate(), exit);
    }

    /// @dev Takes the collateral apart, and sells the DAI that was inside.
    function _viaDai(uint256 least) private view returns (bytes memory) {
        return _then(
            bytes.concat(
                Plans.sell(10_000, Plans.token(address(dai)), Plans.unwrap(Plans.COLLATERAL, least)),
                Plans.sellOn(Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE_TIER))
            )
        );
    }

    /// @dev 1,500 USD for each DAI, so that 1.2 of them are worth what a wrapper is.
    function _openDai() private returns (IUniswapV3PoolFull) {
        return dex.open(dai, 1_500e8, usdc, USDC_PRICE, FEE_TIER, 10_000e18);
    }

    function _lost(address wrapper, uint256 got, uint256 least) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Wrappers.LostInUnwrapping.selector, wrapper, got, least);
    }

    // ----------------------------------------------------------------------------------------- taken apart, sold

    /// @dev No pool at all: what is inside is the debt token.
    function test_shares_of_a_vault_over_the_debt_token_need_no_pool() public {
        TestToken dear = new TestToken("dear USDC", 18);
        Vault vault = new Vault(dear);
        _list(address(vault), Roles.Kind.Erc4626);
        Liquidation memory job = _distressed(TestToken(address(vault)), dear);
        // A share holds 1.25 units of the debt token: 6,250 of them are as good as the 7,500 that are owed.
        market.setPrice(address(dear), 1_440e8);
        job.flags = Plans.PROFIT_IN_DEBT;
        job.steps = bytes.concat(
            Plans.loan(address(aave), 2e18),
            Plans.liquidate(),
            Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.unwrap(Plans.COLLATERAL, 2e18))
        );

        Chimera.Outcome memory outcome = _run(job);

        uint256 worth = vault.previewRedeem(outcome.collateralSeized);
        vm.assertEq(outcome.debtCovered, 2e18, "debt covered");
        vm.assertEq(outcome.profit, worth - 2e18, "profit");
        vm.assertEq(dear.balanceOf(treasury), outcome.profit, "treasury");
        _assertEmpty(address(vault), address(dear));
    }

    function test_shares_of_a_vault_are_redeemed_and_what_was_inside_is_sold() public {
        (Vault vault, Liquidation memory job) = _vaultOver(dai);
        uint256 inside = vault.previewRedeem(seized);
        vm.assertGt(inside, seized * 5 / 4 - 1e6, "tokens for the shares");
        uint256 proceeds = _worthOf(_openDai(), address(dai), inside);
        job.steps = _viaDai(inside);

        vm.assertEq(_run(job).profit, proceeds - HALF_DEBT, "profit");
        _assertEmpty(address(vault), address(usdc));
        vm.assertEq(dai.balanceOf(address(chimera)), 0, "DAI left");
    }

    /// @dev The pool that lent the debt wants what is inside; the rest is the profit.
    function test_a_flash_swap_is_paid_with_what_was_inside() public {
        (Vault vault, Liquidation memory job) = _vaultOver(weth);
        uint256 cost = _costOf(pool, address(usdc), HALF_DEBT);
        job.flags = Plans.PROFIT_IN_NATIVE;
        job.steps = bytes.concat(
            _buyDebt(Plans.uniswap(Plans.NATIVE, FEE)),
            Plans.liquidate(),
            Plans.sell(10_000, Plans.token(Plans.NATIVE), Plans.unwrap(Plans.COLLATERAL, cost))
        );
        uint256 inside = vault.previewRedeem(seized);

        vm.assertEq(_run(job).profit, inside - cost, "profit");
        _assertEmpty(address(vault), address(usdc));
    }

    function test_a_token_like_wsteth_is_unwrapped_and_what_was_inside_is_sold() public {
        (RateWrapper wrapper, Liquidation memory job) = _wrapperOver(dai);
        uint256 inside = seized * 12 / 10;
        uint256 proceeds = _worthOf(_openDai(), address(dai), inside);
        job.steps = _viaDai(inside);

        vm.assertEq(_audited(job).profit, proceeds - HALF_DEBT, "profit");
        _assertEmpty(address(wrapper), address(usdc));
    }

    /// @dev A wrapper in the middle of a route: bought at a pool, taken apart, sold again.
    function test_a_wrapper_is_the_middle_hop() public {
        RateWrapper wrapper = new RateWrapper(dai);
        _list(address(wrapper), Roles.Kind.Unwrapper);
        IUniswapV3PoolFull first = dex.open(weth, LOW_WETH_PRICE, wrapper, LOW_WETH_PRICE, FEE_TIER, 10_000e18);
        uint256 bought = _worthOf(first, address(weth), seized);
        uint256 proceeds = _worthOf(_openDai(), address(dai), bought * 12 / 10);
        bytes memory sale = bytes.concat(
            Plans.sell(10_000, Plans.token(address(wrapper)), Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.sellOn(Plans.token(address(dai)), Plans.unwrap(Plans.COLLATERAL, bought * 12 / 10)),
            Plans.sellOn(Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE_TIER))
        );

        vm.assertEq(_audited(_loanAndSell(sale)).profit, proceeds - HALF_DEBT, "profit");
    }

    /// @dev The key behind a SELL_ON names no token of its own; the explicit one is read over.
    function test_the_wrapper_of_a_sale_is_the_token_that_the_sale_before_brought() public {
        RateWrapper wrapper = new RateWrapper(usdc);
        _list(address(wrapper), Roles.Kind.Unwrapper);
        // A wrapper of 18 decimals over 6: its unit is worth 1.2 units of USDC.
        dex.open(weth, 1e8, wrapper, 1e8, FEE_TIER, 10_000e18);
        bytes memory sale = bytes.concat(
            Plans.sell(10_000, Plans.token(address(wrapper)), Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.sellOn(Plans.token(Plans.DEBT), Plans.unwrap(stranger, HALF_DEBT))
        );

        vm.assertGt(_run(_loanAndSell(sale)).profit, 1e18, "profit");
    }

    // -------------------------------------------------------------------------------------------- what is refused

    function test_one_unit_less_than_the_least_reverts() public {
        (RateWrapper wrapper, Liquidation memory job) = _wrapperOver(dai);
        _openDai();
        uint256 inside = seized * 12 / 10;
        job.steps = _viaDai(inside + 1);

        _runReverts(job, _lost(address(wrapper), inside, inside + 1));
    }

    function test_C11_a_wrapper_that_says_more_than_it_pays_is_measured() public {
        (RateWrapper wrapper, Liquidation memory job) = _wrapperOver(dai);
        _openDai();
        wrapper.lie();
        uint256 inside = seized * 12 / 10;
        job.steps = _viaDai(inside);

        _runReverts(job, _lost(address(wrapper), inside / 2, inside));
    }

    function test_C05_a_wrapper_that_is_not_listed_or_listed_as_something_else() public {
        (RateWrapper wrapper, Liquidation memory job) = _wrapperOver(dai);
        job.steps = _viaDai(1);
        Roles.Kind[4] memory others = [Roles.Kind.None, Roles.Kind.AaveV3, Roles.Kind.Slipstream, Roles.Kind.PancakeV3];
        for (uint256 i; i < others.length; ++i) {
            _list(address(wrapper), others[i]);
            _runReverts(job, abi.encodeWithSelector(Program.UnknownCounterparty.selector, address(wrapper)));
        }
    }

    /// @dev A vault is no unwrapper and the other way round: neither has the other's function.
    function test_C05_a_wrapper_listed_as_the_other_kind_reverts() public {
        (RateWrapper wrapper, Liquidation memory job) = _wrapperOver(dai);
        job.steps = _viaDai(1);
        _list(address(wrapper), Roles.Kind.Erc4626);
        _runReverts(job, bytes(""));
    }

    function test_nothing_can_be_bought_by_taking_a_token_apart() public {
        (, Liquidation memory job) = _wrapperOver(usdc);
        job.steps = bytes.concat(_buyDebt(Plans.unwrap(Plans.COLLATERAL, 1)), Plans.liquidate());

        _runReverts(job, abi.encodeWithSelector(Swaps.CannotBuyFrom.selector, address(0)));
    }

    function test_a_token_that_is_not_of_the_run_is_not_taken_apart() public {
        RateWrapper wrapper = new RateWrapper(usdc);
        _list(address(wrapper), Roles.Kind.Unwrapper);
        wrapper.mint(address(chimera), 1e18); // waits for rescue

        bytes memory sale = Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.unwrap(address(wrapper), 1));
        _runReverts(_loanAndSell(sale), abi.encodeWithSelector(Swaps.ForeignToken.selector, address(wrapper)));
    }

    function test_a_plan_that_ends_within_the_least_reverts() public {
        (, Liquidation memory job) = _wrapperOver(usdc);
        job.steps = _then(Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.unwrap(Plans.COLLATERAL, 1)));
        bytes memory plan = _plan(job);
        assembly ("memory-safe") {
            mstore(plan, sub(mload(plan), 1))
        }

        _runReverts(plan, abi.encodePacked(PlanReader.PlanTooShort.selector));
    }

    function test_C07_a_wrapper_cannot_come_back_in() public {
        (RateWrapper wrapper, Liquidation memory job) = _wrapperOver(dai);
        _openDai();
        job.steps = _viaDai(1);
        vm.prank(owner);
        chimera.setExecutor(address(wrapper), true);
        wrapper.intrude(address(chimera), abi.encodeCall(chimera.liquidate, (_plan(job))));
        _runReverts(job, abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));

        wrapper.intrude(address(chimera), abi.encodeCall(chimera.onMorphoFlashLoan, (1, "")));
        _runReverts(job, abi.encodePacked(Program.UnexpectedCallback.selector));
    }

    // --------------------------------------------------------------------------------------------------- C21, C22

    function test_C22_a_paused_vault_reverts_the_run_with_its_reason_and_nothing_is_lost() public {
        (Vault vault, Liquidation memory job) = _vaultOver(dai);
        _openDai();
        job.steps = _viaDai(1);
        vault.setPaused(true);
        uint256 collateral = _aTokens(address(vault), job.borrower);

        _runReverts(job, Vault.RedeemPaused.selector);

        vm.assertEq(_aTokens(address(vault), job.borrower), collateral, "the borrower's collateral");
        vm.assertEq(dai.balanceOf(treasury) + usdc.balanceOf(treasury), 0, "treasury");
        _assertEmpty(address(vault), address(usdc));

        vault.setPaused(false);
        vm.assertGt(_run(job).profit, 0, "once it is open again");
    }

    function test_C22_a_vault_that_gives_only_a_part_reverts_the_run_with_its_reason() public {
        (Vault vault, Liquidation memory job) = _vaultOver(dai);
        _openDai();
        job.steps = _viaDai(1);
        vault.setLimit(seized - 1);
        _runReverts(
            job, abi.encodeWithSelector(ERC4626.ERC4626ExceededMaxRedeem.selector, address(chimera), seized, seized - 1)
        );

        vault.setLimit(seized);
        vm.assertGt(_run(job).profit, 0, "within the limit");
    }

    function test_C22_a_paused_vault_fails_alone_in_a_batch() public {
        (Vault vault, Liquidation memory paused) = _vaultOver(dai);
        _openDai();
        paused.steps = _viaDai(1);
        vault.setPaused(true);
        bytes[] memory jobs = new bytes[](2);
        (jobs[0], jobs[1]) = (Plans.pack(paused), Plans.pack(_job()));
        bytes memory plan = bytes.concat(_terms(), Plans.batch(jobs, new uint256[](2)));

        vm.expectEmit(address(chimera));
        emit Chimera.LiquidationFailed(0, paused.borrower, abi.encodePacked(Vault.RedeemPaused.selector));
        vm.prank(executor);
        Chimera.Outcome[] memory outcomes = chimera.liquidateBatch(plan);

        vm.assertEq(outcomes[0].debtCovered, 0, "failed");
        vm.assertEq(outcomes[1].debtCovered, HALF_DEBT, "the other one");
    }

    function test_C21_a_vault_that_charges_only_in_a_block_misses_the_least() public {
        (Vault vault, Liquidation memory job) = _vaultOver(dai);
        _openDai();
        uint256 inside = vault.previewRedeem(seized);
        vault.setExitFee(300, true);
        job.steps = _viaDai(inside);
        uint256 before = vm.snapshotState();
        _run(job); // the simulation
        vm.revertToState(before);

        vm.txGasPrice(1 gwei);
        _runReverts(job, _lost(address(vault), inside - inside * 300 / 10_000, inside));
    }

    function test_C21_a_token_that_taxes_the_tip_misses_the_floor() public {
        TipTaxToken taxed = new TipTaxToken();
        _missesItsFloorWithATip(_distressed(taxed, usdc), "");
    }

    /// @dev The same without a least: the floor covers the vault as well.
    function test_C21_a_vault_that_charges_only_in_a_block_misses_the_floor() public {
        (Vault vault, Liquidation memory job) = _vaultOver(dai);
        _openDai();
        vault.setExitFee(300, true);
        job.steps = _viaDai(0);
        _missesItsFloorWithATip(job, abi.encodePacked(Chimera.ProfitBelowFloor.selector));
    }

    /// @dev The floor is what the simulation, which pays no tip, said.
    /// @param selector Of the error, where it is always the same.
    function _missesItsFloorWithATip(Liquidation memory job, bytes memory selector) private {
        uint256 before = vm.snapshotState();
        uint256 simulated = _run(job).profit;
        vm.revertToState(before);
        job.minProfit = simulated;
        vm.txGasPrice(1 gwei);
        address profitToken = job.flags == 0 ? job.collateral : job.debt;

        (bool done, bytes memory error) = _try(job);

        vm.assertFalse(done, "done");
        if (selector.length != 0) vm.assertEq(abi.encodePacked(bytes4(error)), selector, "error");
        vm.assertEq(TestToken(profitToken).balanceOf(treasury), 0, "treasury");
        _assertEmpty(job.collateral, job.debt);
    }

    function _try(Liquidation memory job) private returns (bool done, bytes memory error) {
        bytes memory plan = _plan(job);
        vm.prank(executor);
        (done, error) = address(chimera).call(abi.encodeCall(chimera.liquidate, (plan)));
    }

    function _aTokens(address asset, address account) private view returns (uint256) {
        return TestToken(aave.getReserveAToken(asset)).balanceOf(account);
    }
}
