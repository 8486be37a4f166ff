// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Chimera} from "../src/Chimera.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice What a liquidation does on real Aave v3.6 and Uniswap v3.
/// @dev Expected seizures are worked out by hand from Aave's LiquidationLogic:
///      debt / price * 1.05, less a tenth of the bonus for the protocol.
contract ChimeraLiquidationTest is ChimeraFixture {
    bytes4 private constant HEALTHY = bytes4(keccak256("HealthFactorNotBelowThreshold()"));
    bytes4 private constant DUST = bytes4(keccak256("MustNotLeaveDust()"));

    function test_half_the_debt_is_liquidated_and_the_profit_reaches_the_treasury() public {
        _setWethPrice(LOW_WETH_PRICE);

        Chimera.Outcome memory outcome = _run(_plan());

        vm.assertEq(outcome.debtCovered, HALF_DEBT, "debt covered");
        // 7500 / 1800 = 4.1667; bonus 0.20833, of which 0.020833 to the protocol.
        vm.assertEq(outcome.collateralSeized, 4.354166666666666666e18, "collateral seized");
        // 4.1667 plus the pool's fee of 0.05 % and a price impact below 0.05 %.
        vm.assertGt(outcome.swapInput, 4.168e18, "swap input");
        vm.assertLt(outcome.swapInput, 4.172e18, "swap input");
        vm.assertEq(outcome.profit, outcome.collateralSeized - outcome.swapInput, "profit");
        vm.assertEq(weth.balanceOf(treasury), outcome.profit, "treasury");
        vm.assertEq(usdc.balanceOf(treasury), 0, "no debt token was left over");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_the_event_tells_the_outcome() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory outcome = _run(_plan());
        vm.revertToState(before);

        vm.expectEmit(address(chimera));
        emit Chimera.Liquidated(
            address(aave),
            borrower,
            address(weth),
            address(usdc),
            outcome.debtCovered,
            outcome.collateralSeized,
            outcome.profit
        );
        _run(_plan());
    }

    function test_the_other_direction_of_the_same_pool() public {
        address account = _account("short seller");
        _supply(account, usdc, 20_000e6);
        _borrow(account, weth, 7e18);
        _setWethPrice(2_400e8); // health factor 20,000 * 0.825 / 16,800 = 0.982

        Chimera.AaveLiquidation memory plan = _plan();
        (plan.borrower, plan.collateralAsset, plan.debtAsset) = (account, address(usdc), address(weth));
        plan.debtToCover = 3.5e18;
        Chimera.Outcome memory outcome = _run(plan);

        vm.assertEq(outcome.debtCovered, 3.5e18, "debt covered");
        // 3.5 * 2400 = 8400; bonus 420, of which 42 to the protocol.
        vm.assertEq(outcome.collateralSeized, 8_778e6, "collateral seized");
        vm.assertEq(usdc.balanceOf(treasury), outcome.profit, "treasury");
        vm.assertGt(outcome.profit, 370e6, "profit");
        _assertEmpty(address(usdc), address(weth));
    }

    function test_debt_the_market_did_not_take_goes_to_the_treasury() public {
        _setWethPrice(LOW_WETH_PRICE);
        Chimera.AaveLiquidation memory plan = _plan();
        plan.debtToCover = HALF_DEBT + 10e6;

        Chimera.Outcome memory outcome = _run(plan);

        vm.assertEq(outcome.debtCovered, HALF_DEBT, "debt covered");
        vm.assertEq(usdc.balanceOf(treasury), 10e6, "left-over debt token");
        vm.assertEq(weth.balanceOf(treasury), outcome.profit, "profit");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_C20_the_whole_debt_goes_when_the_health_factor_is_below_the_close_factor_threshold() public {
        _setWethPrice(1_600e8); // health factor 0.88, below 0.95
        Chimera.AaveLiquidation memory plan = _plan();
        plan.debtToCover = 15_000e6;

        Chimera.Outcome memory outcome = _run(plan);

        vm.assertEq(outcome.debtCovered, 15_000e6, "debt covered");
        // 9.375 * 1.05 = 9.84375, less a tenth of 0.46875.
        vm.assertEq(outcome.collateralSeized, 9.796875e18, "collateral seized");
        (, uint256 debtLeft,,,,) = aave.getUserAccountData(borrower);
        vm.assertEq(debtLeft, 0, "debt left");
    }

    function test_C20_bad_debt_takes_all_collateral() public {
        _setWethPrice(1_400e8); // 15,000 of debt against 14,000 of collateral
        Chimera.AaveLiquidation memory plan = _plan();
        plan.debtToCover = 13_334e6;

        Chimera.Outcome memory outcome = _run(plan);

        // 14,000 / 1.05, rounded up by Aave.
        vm.assertEq(outcome.debtCovered, 13_333.333334e6, "debt covered");
        vm.assertEq(usdc.balanceOf(treasury), 0.666666e6, "left-over debt token");
        vm.assertEq(weth.balanceOf(treasury), outcome.profit, "profit");
        (uint256 collateralLeft,,,,,) = aave.getUserAccountData(borrower);
        vm.assertEq(collateralLeft, 0, "collateral left");
    }

    function test_C20_one_unit_of_debt() public {
        _setWethPrice(LOW_WETH_PRICE);
        Chimera.AaveLiquidation memory plan = _plan();
        plan.debtToCover = 1;

        Chimera.Outcome memory outcome = _run(plan);

        vm.assertEq(outcome.debtCovered, 1, "debt covered");
        vm.assertEq(weth.balanceOf(treasury), outcome.profit, "profit");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_C20_dust_that_aave_would_not_leave_reverts_with_its_reason() public {
        _setWethPrice(1_600e8);
        Chimera.AaveLiquidation memory plan = _plan();
        plan.debtToCover = 14_500e6; // would leave 500 USD, below Aave's 1,000
        _runReverts(plan, DUST);
    }

    function test_C20_amounts_no_swap_can_express_revert() public {
        _setWethPrice(LOW_WETH_PRICE);
        Chimera.AaveLiquidation memory plan = _plan();

        plan.debtToCover = 0;
        _runReverts(plan, abi.encodeWithSignature("Error(string)", "AS")); // v3-core: amount specified

        plan.debtToCover = type(uint256).max;
        _runReverts(plan, abi.encodeWithSelector(Chimera.SwapFellShort.selector, 0, type(uint256).max));

        plan.debtToCover = 2 ** 255;
        _runReverts(plan, abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    function test_a_floor_at_the_profit_passes_and_one_unit_above_reverts() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 before = vm.snapshotState();
        uint256 profit = _run(_plan()).profit;
        vm.revertToState(before);

        Chimera.AaveLiquidation memory plan = _plan();
        plan.minProfit = profit + 1;
        _runReverts(plan, abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, profit, profit + 1));

        plan.minProfit = profit;
        vm.assertEq(_run(plan).profit, profit, "profit");
    }

    function test_a_healthy_position_reverts_with_the_markets_reason() public {
        _runReverts(_plan(), HEALTHY);
    }

    function test_a_pool_too_shallow_for_the_debt_reverts() public {
        dex.open(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, 3000, 1e18); // holds 1,800 USDC
        _setWethPrice(LOW_WETH_PRICE);
        Chimera.AaveLiquidation memory plan = _plan();
        plan.poolFee = 3000;

        (bytes4 selector,) = _errorOf(plan);

        vm.assertTrue(selector == Chimera.SwapFellShort.selector, "error");
    }

    function test_a_fee_tier_without_pool_reverts() public {
        Chimera.AaveLiquidation memory plan = _plan();
        plan.poolFee = 10_000;
        _runReverts(plan, Chimera.NoPool.selector);
    }

    function test_collateral_and_debt_of_one_token_revert() public {
        Chimera.AaveLiquidation memory plan = _plan();
        plan.collateralAsset = plan.debtAsset;
        _runReverts(plan, Chimera.SameAsset.selector);
    }

    function test_C18_a_plan_runs_until_its_deadline_and_not_after() public {
        _setWethPrice(LOW_WETH_PRICE);
        Chimera.AaveLiquidation memory plan = _plan();
        uint256 before = vm.snapshotState();
        _run(plan);
        vm.revertToState(before);

        vm.warp(plan.deadline + 1);
        _runReverts(plan, Chimera.DeadlinePassed.selector);
    }

    function test_C18_a_plan_that_came_second_reverts() public {
        _setWethPrice(LOW_WETH_PRICE);
        _run(_plan());
        _runReverts(_plan(), HEALTHY);
    }

    function test_two_liquidations_in_one_transaction() public {
        _setWethPrice(1_600e8);
        Chimera.AaveLiquidation memory plan = _plan();
        plan.debtToCover = 5_000e6;

        uint256 first = _run(plan).profit;
        uint256 second = _run(plan).profit;

        vm.assertEq(weth.balanceOf(treasury), first + second, "treasury");
        _assertEmpty(address(weth), address(usdc));
    }
}
