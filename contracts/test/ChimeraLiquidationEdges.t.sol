// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Chimera} from "../src/Chimera.sol";
import {Program} from "../src/Program.sol";
import {PlanReader} from "../src/PlanReader.sol";
import {Roles} from "../src/Roles.sol";
import {HostileMarket} from "./fixtures/Attackers.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Amounts at the edges of Aave's rules, and plans that are not well-formed.
contract ChimeraLiquidationEdgesTest is ChimeraFixture {
    bytes4 private constant HEALTHY = bytes4(keccak256("HealthFactorNotBelowThreshold()"));
    bytes4 private constant DUST = bytes4(keccak256("MustNotLeaveDust()"));

    // ------------------------------------------------------------------------------------------------ amounts

    function test_C20_the_whole_debt_goes_when_the_health_factor_is_below_the_close_factor_threshold() public {
        _setWethPrice(1_600e8); // health factor 0.88, below 0.95

        Chimera.Outcome memory outcome = _run(_job(_flashSwap(15_000e6)));

        vm.assertEq(outcome.debtCovered, 15_000e6, "debt covered");
        // 9.375 * 1.05 = 9.84375, less a tenth of 0.46875.
        vm.assertEq(outcome.collateralSeized, 9.796875e18, "collateral seized");
        vm.assertEq(_debtUsd8(), 0, "debt left");
    }

    /// @dev Health factor 0.95 is where 10 * price * 0.825 = 15,000 * 0.95: at 1727.272727... USD.
    function test_C20_the_close_factor_changes_between_two_neighbouring_prices() public {
        uint256 before = vm.snapshotState();
        _setWethPrice(1_727.27272727e8);
        vm.assertEq(_run(_job(_flashSwap(15_000e6))).debtCovered, 15_000e6, "at 0.95, all");
        vm.revertToState(before);

        _setWethPrice(1_727.27272728e8);
        // The flash swap of 15,000 cannot be paid from the collateral of 7,500, so half it is.
        _runFails(_job(_flashSwap(15_000e6)), Program.CannotRepay.selector);
        vm.assertEq(_run(_job(_flashSwap(7_510e6))).debtCovered, 7_500e6, "just above 0.95, half");
    }

    function test_C20_a_small_position_is_liquidated_whole_at_any_health_factor() public {
        // 1,500 USD of debt are below Aave's 2,000: health factor 1 * 1,800 * 0.825 / 1,500 = 0.99.
        address account = _account("small");
        _supply(account, weth, 1e18);
        _borrow(account, usdc, 1_500e6);
        _setWethPrice(LOW_WETH_PRICE);
        Liquidation memory job = _job(_flashSwap(1_500e6));
        job.borrower = account;

        vm.assertEq(_run(job).debtCovered, 1_500e6, "debt covered");
    }

    function test_C20_bad_debt_takes_all_collateral() public {
        _setWethPrice(1_400e8); // 15,000 of debt against 14,000 of collateral
        Liquidation memory job = _job(_flashSwap(13_334e6));
        job.flags = Plans.MEASURE_FEE;

        Chimera.Outcome memory outcome = _run(job);

        // 14,000 / 1.05, rounded up by Aave.
        vm.assertEq(outcome.debtCovered, 13_333.333334e6, "debt covered");
        vm.assertEq(usdc.balanceOf(treasury), 0.666666e6, "left-over debt token");
        vm.assertEq(weth.balanceOf(treasury), outcome.profit, "profit");
        // 10 - 10 / 1.05 is the bonus, rounded half up by Aave; a tenth of it is the protocol's.
        vm.assertEq(outcome.protocolFee, 0.047619047619047619e18, "protocol fee");
        vm.assertEq(outcome.collateralSeized, 10e18 - outcome.protocolFee, "collateral seized");
        (uint256 collateralLeft,,,,,) = aave.getUserAccountData(borrower);
        vm.assertEq(collateralLeft, 0, "collateral left");
    }

    function test_C20_one_unit_of_debt() public {
        _setWethPrice(LOW_WETH_PRICE);

        Chimera.Outcome memory outcome = _run(_job(_flashSwap(1)));

        vm.assertEq(outcome.debtCovered, 1, "debt covered");
        // 1e12 / 1800 = 555,555,555; with 5 % 583,333,332.75, rounded to ..333; bonus 27,777,778, rounded, a tenth to
        // the protocol: 2,777,778.
        vm.assertEq(outcome.collateralSeized, 583_333_333 - 2_777_778, "collateral seized");
        vm.assertEq(weth.balanceOf(treasury), outcome.profit, "profit");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_C20_dust_that_aave_would_not_leave_reverts_with_its_reason() public {
        _setWethPrice(1_600e8);
        _runReverts(_job(_flashSwap(14_500e6)), DUST); // would leave 500 USD, below Aave's 1,000
        vm.assertEq(_run(_job(_flashSwap(14_000e6))).debtCovered, 14_000e6, "1,000 USD may be left");
    }

    function test_C20_a_swap_of_nothing_reverts() public {
        _setWethPrice(LOW_WETH_PRICE);
        _runReverts(_job(_flashSwap(0)), abi.encodeWithSignature("Error(string)", "AS")); // v3-core: amount specified
    }

    function test_C20_more_than_a_pool_can_give_cannot_be_paid_for() public {
        _setWethPrice(LOW_WETH_PRICE);
        _runFails(_job(_flashSwap(type(uint128).max)), Program.CannotRepay.selector);
    }

    function test_C20_amounts_beyond_128_bits_are_refused() public {
        HostileMarket hostile = new HostileMarket();
        _list(address(hostile), Roles.Kind.AaveV3);
        weth.mint(address(hostile), 2 ** 128);
        hostile.set(HALF_DEBT, 2 ** 128, HostileMarket.Trick.None);
        Liquidation memory job = _job();
        job.market = address(hostile);

        _runReverts(job, Program.AmountTooLarge.selector);

        hostile.set(HALF_DEBT, 2 ** 128 - 1, HostileMarket.Trick.None);
        vm.assertEq(_run(job).collateralSeized, 2 ** 128 - 1, "collateral seized");
    }

    // --------------------------------------------------------------------------------------- malformed plans

    function test_every_truncation_of_a_plan_reverts() public {
        dex.open(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, 3000, 10_000e18);
        _setWethPrice(LOW_WETH_PRICE);
        TestToken dai = new TestToken("DAI", 18);
        dex.open(weth, LOW_WETH_PRICE, dai, USDC_PRICE, FEE, 10_000e18);
        dex.open(dai, USDC_PRICE, usdc, USDC_PRICE, FEE, 10_000_000e18);
        bytes[] memory plans = new bytes[](5);
        plans[0] = _plan(_job());
        plans[1] = _plan(
            _job(
                bytes.concat(
                    Plans.loan(address(aave), HALF_DEBT),
                    Plans.liquidate(),
                    Plans.sell(5_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE)),
                    Plans.sell(9_990, Plans.token(address(usdc)), Plans.uniswap(address(weth), 3000))
                )
            )
        );
        plans[2] = bytes.concat(
            _terms(),
            Plans.packByReserveId(_job(), aave.getReserveData(address(weth)).id, aave.getReserveData(address(usdc)).id)
        );
        plans[3] = _plan(
            _job(
                bytes.concat(
                    Plans.buy(HALF_DEBT, Plans.uniswap(address(dai), FEE)),
                    Plans.buyOn(Plans.uniswap(Plans.COLLATERAL, FEE)),
                    Plans.liquidate()
                )
            )
        );
        Liquidation memory job = _job(
            bytes.concat(
                Plans.loan(address(aave), HALF_DEBT),
                Plans.liquidate(),
                Plans.sell(10_000, Plans.token(address(dai)), Plans.uniswap(Plans.COLLATERAL, FEE)),
                Plans.sellOn(Plans.token(Plans.DEBT), Plans.uniswap(address(dai), FEE))
            )
        );
        job.flags = Plans.PROFIT_IN_DEBT;
        plans[4] = _plan(job);
        for (uint256 i = 0; i < plans.length; ++i) {
            for (uint256 size = 0; size < plans[i].length; ++size) {
                (bool done,) = _call(abi.encodeCall(chimera.liquidate, (_prefix(plans[i], size))));
                vm.assertFalse(done, "a truncated plan ran");
            }
            uint256 before = vm.snapshotState();
            vm.assertGt(_run(plans[i]).profit, 0, "the whole plan runs");
            vm.revertToState(before);
        }
    }

    function test_a_plan_without_a_whole_head_is_too_short() public {
        bytes memory plan = _plan(_job());
        // Terms, flags, four addresses, floor.
        for (uint256 size = 0; size < 12 + 81 + 16; ++size) {
            _runReverts(_prefix(plan, size), abi.encodePacked(PlanReader.PlanTooShort.selector));
        }
    }

    function test_every_truncation_of_a_batch_reverts_as_a_whole() public {
        _setWethPrice(LOW_WETH_PRICE);
        bytes[] memory jobs = new bytes[](2);
        (jobs[0], jobs[1]) = (Plans.pack(_job()), Plans.pack(_job()));
        bytes memory plan = bytes.concat(_terms(), Plans.batch(jobs, new uint256[](2)));

        for (uint256 size = 0; size < plan.length; ++size) {
            (bool done, bytes memory error) = _call(abi.encodeCall(chimera.liquidateBatch, (_prefix(plan, size))));
            vm.assertFalse(done, "a truncated batch ran");
            vm.assertEq(error, abi.encodePacked(PlanReader.PlanTooShort.selector), "error");
        }
    }

    function test_a_step_that_does_not_exist_reverts() public {
        _setWethPrice(LOW_WETH_PRICE);
        // 2 goes on from a BUY, 7 from a SELL: neither is a step of its own.
        uint8[5] memory opcodes = [0, 2, 7, 8, 255];
        for (uint256 i = 0; i < opcodes.length; ++i) {
            bytes memory error = abi.encodeWithSelector(Chimera.UnknownStep.selector, opcodes[i]);
            _runReverts(_job(abi.encodePacked(opcodes[i])), error);
            _runReverts(_job(bytes.concat(_flashSwap(HALF_DEBT), abi.encodePacked(opcodes[i]))), error);
        }
    }

    function test_profit_is_of_the_pair_or_of_native_coin() public {
        Liquidation memory job = _job();
        job.flags = 3;
        _runReverts(job, abi.encodeWithSelector(Chimera.UnknownFlags.selector, 3));
    }

    function test_a_flag_without_a_meaning_reverts() public {
        Liquidation memory job = _job();
        for (uint8 bit = 32; bit != 0; bit <<= 1) {
            job.flags = bit;
            _runReverts(job, abi.encodeWithSelector(Chimera.UnknownFlags.selector, bit));
        }
    }

    function test_bytes_behind_a_batch_revert() public {
        _setWethPrice(LOW_WETH_PRICE);
        bytes[] memory jobs = new bytes[](1);
        jobs[0] = Plans.pack(_job());
        bytes memory plan = bytes.concat(_terms(), Plans.batch(jobs, new uint256[](1)), hex"00");
        vm.prank(executor);
        vm.expectRevert(Chimera.PlanTooLong.selector);
        chimera.liquidateBatch(plan);
    }

    function test_a_reserve_id_of_nothing_or_of_another_market_reverts() public {
        (, bytes memory error) = _errorOf(bytes.concat(_terms(), Plans.packByReserveId(_job(), 2, 1)));
        vm.assertEq(error, "", "the zero address is no token");
        Liquidation memory job = _job();
        job.market = stranger;
        _runReverts(
            bytes.concat(_terms(), Plans.packByReserveId(job, 0, 1)),
            abi.encodeWithSelector(Program.UnknownCounterparty.selector, stranger)
        );
    }

    function test_a_plan_that_liquidates_nothing_reverts() public {
        _setWethPrice(LOW_WETH_PRICE);
        _runReverts(_job(""), Chimera.NothingLiquidated.selector);
        _runReverts(_job(Plans.loan(address(aave), HALF_DEBT)), Chimera.NothingLiquidated.selector);

        // There and back through one pool costs two fees, which nobody pays.
        Liquidation memory job = _job(Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, FEE)));
        _runFails(job, Program.CannotRepay.selector);
    }

    function test_a_second_liquidation_in_one_plan_reverts() public {
        bytes memory twice = bytes.concat(
            Plans.loan(address(aave), 5_000e6),
            Plans.liquidate(),
            Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE)),
            Plans.liquidate()
        );
        uint256 before = vm.snapshotState();
        _setWethPrice(LOW_WETH_PRICE);
        // 5,000 of 15,000 repaid: (10 - 2.917) * 1,800 * 0.825 / 10,000 = 1.05.
        _runReverts(_job(twice), HEALTHY);
        vm.revertToState(before);

        // (10 - 3.281) * 1,600 * 0.825 / 10,000 = 0.887: the market would go on, and the sale has paid for it.
        _setWethPrice(1_600e8);
        _runReverts(_job(twice), Program.AlreadyLiquidated.selector);
    }

    // ------------------------------------------------------------------------------------------------ helpers

    function _runFails(Liquidation memory job, bytes4 expected) private {
        (bytes4 selector,) = _errorOf(job);
        vm.assertEq(abi.encodePacked(selector), abi.encodePacked(expected), "error");
    }

    function _call(bytes memory input) private returns (bool done, bytes memory answer) {
        vm.prank(executor);
        return address(chimera).call(input);
    }

    function _prefix(bytes memory plan, uint256 size) private pure returns (bytes memory prefix) {
        prefix = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            prefix[i] = plan[i];
        }
    }

    /// @return debtUsd8 The borrower's debt.
    function _debtUsd8() private view returns (uint256 debtUsd8) {
        (, debtUsd8,,,,) = aave.getUserAccountData(borrower);
    }
}
