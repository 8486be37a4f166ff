// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAToken} from "aave-v3/interfaces/IAToken.sol";

import {Chimera} from "../src/Chimera.sol";
import {Swaps} from "../src/Swaps.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {Quotes} from "./fixtures/Quotes.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice What a liquidation does on real Aave v3.6 and Uniswap v3.
/// @dev Expected seizures are worked out by hand from Aave's LiquidationLogic:
///      debt / price * 1.05, less a tenth of the bonus for the protocol.
contract ChimeraLiquidationTest is ChimeraFixture, Quotes {
    bytes4 private constant HEALTHY = bytes4(keccak256("HealthFactorNotBelowThreshold()"));

    /// @dev 7500 / 1800 = 4.1667; bonus 0.20833, of which 0.020833 to the protocol.
    uint256 private constant HALF_SEIZED = 4.354166666666666666e18;

    function test_half_the_debt_is_liquidated_and_the_profit_reaches_the_treasury() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 cost = _cost(HALF_DEBT);
        // 4.1667 plus the pool's fee of 0.05 % and a price impact below 0.05 %.
        vm.assertGt(cost, 4.168e18, "cost of the debt");
        vm.assertLt(cost, 4.172e18, "cost of the debt");

        uint256 gasBefore = gasleft();
        Chimera.Outcome memory outcome = _run(_job());
        uint256 gasOfCall = gasBefore - gasleft();

        vm.assertEq(outcome.debtCovered, HALF_DEBT, "debt covered");
        vm.assertEq(outcome.collateralSeized, HALF_SEIZED, "collateral seized");
        vm.assertEq(outcome.protocolFee, 0, "protocol fee, not asked for");
        vm.assertEq(outcome.swapOutput, HALF_DEBT, "swap output");
        vm.assertEq(outcome.flashFee, 0, "flash fee");
        vm.assertEq(outcome.bid, 0, "bid");
        vm.assertEq(outcome.profit, HALF_SEIZED - cost, "profit");
        vm.assertLt(outcome.gasUsed, gasOfCall, "gas");
        vm.assertGt(outcome.gasUsed, gasOfCall * 8 / 10, "gas");
        vm.assertEq(weth.balanceOf(treasury), outcome.profit, "treasury");
        vm.assertEq(usdc.balanceOf(treasury), 0, "no debt token was left over");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_the_event_tells_the_outcome() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory outcome = _run(_job());
        vm.revertToState(before);

        bytes memory plan = _plan(_job());
        vm.expectEmit(address(chimera));
        emit Chimera.Liquidated(
            address(aave),
            borrower,
            address(weth),
            address(usdc),
            outcome.debtCovered,
            outcome.collateralSeized,
            address(weth),
            outcome.profit
        );
        _run(plan);
    }

    function test_the_other_direction_of_the_same_pool() public {
        address account = _account("short seller");
        _supply(account, usdc, 20_000e6);
        _borrow(account, weth, 7e18);
        _setWethPrice(2_400e8); // health factor 20,000 * 0.825 / 16,800 = 0.982

        Liquidation memory job = _job(_flashSwap(3.5e18));
        (job.borrower, job.collateral, job.debt) = (account, address(usdc), address(weth));
        Chimera.Outcome memory outcome = _run(job);

        vm.assertEq(outcome.debtCovered, 3.5e18, "debt covered");
        // 3.5 * 2400 = 8400; bonus 420, of which 42 to the protocol.
        vm.assertEq(outcome.collateralSeized, 8_778e6, "collateral seized");
        vm.assertEq(usdc.balanceOf(treasury), outcome.profit, "treasury");
        // 8778 - 8400, less the pool's fee of 4.2 and a price impact below 4.2.
        vm.assertLt(outcome.profit, 373.8e6, "profit");
        vm.assertGt(outcome.profit, 369.6e6, "profit");
        _assertEmpty(address(usdc), address(weth));
    }

    function test_profit_in_the_debt_token_is_what_the_sale_brings_beyond_the_loan() public {
        _setWethPrice(LOW_WETH_PRICE);
        (uint256 wethBefore, uint256 usdcBefore) = (weth.balanceOf(address(pool)), usdc.balanceOf(address(pool)));

        Chimera.Outcome memory outcome = _run(_loanJob(10_000));

        uint256 sale = usdcBefore - usdc.balanceOf(address(pool));
        vm.assertEq(weth.balanceOf(address(pool)) - wethBefore, HALF_SEIZED, "all of the collateral was sold");
        vm.assertEq(outcome.swapOutput, sale, "swap output");
        vm.assertEq(outcome.profit, sale - HALF_DEBT - outcome.flashFee, "profit");
        vm.assertEq(usdc.balanceOf(treasury), outcome.profit, "treasury");
        vm.assertEq(weth.balanceOf(treasury), 0, "no collateral was left over");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_collateral_that_was_not_sold_goes_to_the_treasury_beside_the_profit() public {
        _setWethPrice(LOW_WETH_PRICE);

        Chimera.Outcome memory outcome = _run(_loanJob(9_900));

        vm.assertEq(weth.balanceOf(treasury), HALF_SEIZED - HALF_SEIZED * 99 / 100, "left-over collateral");
        vm.assertEq(usdc.balanceOf(treasury), outcome.profit, "profit");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_debt_the_market_did_not_take_goes_to_the_treasury() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 cost = _cost(HALF_DEBT + 10e6);

        Chimera.Outcome memory outcome = _run(_job(_flashSwap(HALF_DEBT + 10e6)));

        vm.assertEq(outcome.debtCovered, HALF_DEBT, "debt covered");
        vm.assertEq(outcome.swapOutput, HALF_DEBT + 10e6, "swap output");
        vm.assertEq(outcome.profit, HALF_SEIZED - cost, "profit");
        vm.assertEq(usdc.balanceOf(treasury), 10e6, "left-over debt token");
        vm.assertEq(weth.balanceOf(treasury), outcome.profit, "treasury");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_the_protocols_fee_is_measured_on_request_and_changes_nothing_else() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory plain = _run(_job());
        vm.revertToState(before);
        Liquidation memory job = _job();
        job.flags = Plans.MEASURE_FEE;

        Chimera.Outcome memory outcome = _run(job);

        // A tenth of the bonus: 7500 / 1800 * 0.05 / 10.
        vm.assertEq(outcome.protocolFee, 0.020833333333333333e18, "protocol fee");
        vm.assertEq(outcome.protocolFee, _collected(weth), "what Aave's collector got");
        plain.protocolFee = outcome.protocolFee;
        _assertSame(outcome, plain);
    }

    function test_C20_the_measured_fee_is_off_by_rounding_alone_when_interest_has_accrued() public {
        // Half of the WETH is lent for a year, so that an aToken's unit is no longer a token's unit.
        address tenant = _account("tenant");
        _supply(tenant, usdc, 2_000_000e6);
        _borrow(tenant, weth, 500e18);
        vm.warp(block.timestamp + 365 days);
        _setWethPrice(LOW_WETH_PRICE);
        vm.assertGt(aave.getReserveNormalizedIncome(address(weth)), 1.001e27, "index");
        Liquidation memory job = _job();
        job.flags = Plans.MEASURE_FEE;

        Chimera.Outcome memory outcome = _run(job);

        uint256 collected = _collected(weth);
        vm.assertGt(collected, 0.02e18, "collected");
        // Three balances of Aave's, each rounded by at most a unit: the borrower's before and after, the collector's.
        vm.assertGe(outcome.protocolFee + 3, collected, "protocol fee");
        vm.assertGe(collected + 3, outcome.protocolFee, "protocol fee");
    }

    function test_tokens_named_by_their_reserve_ids_are_the_same_tokens() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory plain = _run(_job());
        vm.revertToState(before);

        uint16 wethId = aave.getReserveData(address(weth)).id;
        uint16 usdcId = aave.getReserveData(address(usdc)).id;
        _assertSame(_run(bytes.concat(_terms(), Plans.packByReserveId(_job(), wethId, usdcId))), plain);
    }

    function test_a_floor_at_the_profit_passes_and_one_unit_above_reverts() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 profit = HALF_SEIZED - _cost(HALF_DEBT);
        Liquidation memory job = _job();
        job.minProfit = profit + 1;
        _runReverts(job, abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, profit, profit + 1));

        job.minProfit = profit;
        vm.assertEq(_run(job).profit, profit, "profit");
    }

    function test_a_healthy_position_reverts_with_the_markets_reason() public {
        _runReverts(_job(), HEALTHY);
    }

    function test_a_pool_too_shallow_for_the_debt_reverts() public {
        dex.open(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, 3000, 1e18); // holds 1,800 USDC
        _setWethPrice(LOW_WETH_PRICE);

        // It hands out all it has, which the market then finds too little.
        _runReverts(
            _job(bytes.concat(Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, 3000)), Plans.liquidate())),
            TestToken.InsufficientBalance.selector
        );
    }

    function test_a_fee_tier_without_pool_reverts() public {
        _runReverts(
            _job(bytes.concat(Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, 10_000)), Plans.liquidate())),
            abi.encodeWithSelector(Swaps.NoPool.selector, address(weth), address(usdc), 10_000)
        );
    }

    function test_collateral_and_debt_of_one_token_need_no_swap() public {
        // Both tokens as collateral: at 1,800, (10,000 + 5 * 1,800) * 0.825 / 15,800 = 0.992.
        address account = _account("same token");
        _supply(account, usdc, 10_000e6);
        _supply(account, weth, 5e18);
        _borrow(account, usdc, 15_800e6);
        _setWethPrice(LOW_WETH_PRICE);
        Liquidation memory job = _job(_flashSwap(5_000e6));
        (job.borrower, job.collateral) = (account, address(usdc));
        _runReverts(job, abi.encodeWithSelector(Swaps.NoPool.selector, address(usdc), address(usdc), FEE));

        // 10 more than the market is asked to take would be: its close factor allows 7,900.
        job.steps = bytes.concat(Plans.loan(address(aave), 7_910e6), Plans.liquidate());
        Chimera.Outcome memory outcome = _run(job);

        vm.assertEq(outcome.debtCovered, 7_900e6, "debt covered");
        // 7900 * 1.05, less a tenth of 395.
        vm.assertEq(outcome.collateralSeized, 8_255.5e6, "collateral seized");
        vm.assertEq(outcome.swapOutput, 0, "swap output");
        vm.assertEq(outcome.profit, 355.5e6 - outcome.flashFee, "profit");
        vm.assertEq(usdc.balanceOf(treasury), outcome.profit, "treasury");
        _assertEmpty(address(usdc), address(usdc));
    }

    function test_two_liquidations_in_one_transaction_are_counted_apart() public {
        _setWethPrice(1_600e8);
        Liquidation memory job = _job(_flashSwap(5_000e6));
        job.flags = Plans.MEASURE_FEE;

        Chimera.Outcome memory first = _run(job);
        Chimera.Outcome memory second = _run(job);

        vm.assertEq(first.debtCovered, 5_000e6, "first, debt covered");
        vm.assertEq(second.debtCovered, 5_000e6, "second, debt covered");
        // A tenth of the bonus: 5000 / 1600 * 0.05 / 10.
        vm.assertEq(first.protocolFee, 0.015625e18, "first, protocol fee");
        vm.assertEq(second.protocolFee, 0.015625e18, "second, protocol fee");
        vm.assertGt(first.profit, second.profit, "the pool's price falls with each");
        vm.assertEq(weth.balanceOf(treasury), first.profit + second.profit, "treasury");
        _assertEmpty(address(weth), address(usdc));
    }

    // ---------------------------------------------------------------------------------------------- stale plans

    function test_C18_a_plan_runs_until_its_deadline_and_not_after() public {
        _setWethPrice(LOW_WETH_PRICE);
        bytes memory plan = _plan(_job());
        uint256 deadline = block.timestamp;
        vm.warp(deadline + 1);
        _runReverts(plan, abi.encodePacked(Chimera.DeadlinePassed.selector));

        vm.warp(deadline);
        _run(plan);
    }

    function test_C18_a_plan_runs_until_its_last_block_and_not_after() public {
        _setWethPrice(LOW_WETH_PRICE);
        bytes memory plan = bytes.concat(Plans.terms(block.timestamp, 1_000, 0), Plans.pack(_job()));
        vm.roll(1_001);
        _runReverts(plan, abi.encodePacked(Chimera.BlockPassed.selector));

        vm.roll(1_000);
        _run(plan);
    }

    function test_C18_without_a_last_block_any_will_do() public {
        _setWethPrice(LOW_WETH_PRICE);
        vm.roll(type(uint40).max);
        _run(_job());
    }

    function test_C18_a_stale_batch_does_not_start() public {
        _setWethPrice(LOW_WETH_PRICE);
        bytes[] memory jobs = new bytes[](1);
        jobs[0] = Plans.pack(_job());
        bytes memory all = Plans.batch(jobs, new uint256[](1));
        vm.warp(1_000_000);
        vm.roll(1_000);
        vm.prank(executor);
        vm.expectRevert(Chimera.DeadlinePassed.selector);
        chimera.liquidateBatch(bytes.concat(Plans.terms(999_999, 0, 0), all));

        vm.prank(executor);
        vm.expectRevert(Chimera.BlockPassed.selector);
        chimera.liquidateBatch(bytes.concat(Plans.terms(1_000_000, 999, 0), all));
    }

    function test_C18_a_plan_that_came_second_reverts() public {
        _setWethPrice(LOW_WETH_PRICE);
        _run(_job());
        _runReverts(_job(), HEALTHY);
    }

    // ------------------------------------------------------------------------------------------------ helpers

    /// @dev Funds by Aave's flash loan, keeps the debt token.
    /// @param shareBps Of the collateral, sold.
    function _loanJob(uint256 shareBps) private view returns (Liquidation memory job) {
        job = _job(
            bytes.concat(
                Plans.loan(address(aave), HALF_DEBT),
                Plans.liquidate(),
                Plans.sell(shareBps, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
            )
        );
        job.flags = Plans.PROFIT_IN_DEBT;
    }

    /// @dev aTokens that liquidations left with Aave's collector.
    function _collected(TestToken token) private view returns (uint256) {
        IAToken aToken = IAToken(aave.getReserveAToken(address(token)));
        return IERC20(address(aToken)).balanceOf(aToken.RESERVE_TREASURY_ADDRESS());
    }

    function _cost(uint256 usdcOut) private returns (uint256 wethIn) {
        return _costOf(pool, address(usdc), usdcOut);
    }
}
