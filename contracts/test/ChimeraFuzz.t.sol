// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Chimera} from "../src/Chimera.sol";
import {Program} from "../src/Program.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {Liquidation} from "./fixtures/Plans.sol";
import {Vm, vm, within} from "./fixtures/Vm.sol";

/// @notice Any price, any amount, any floor: a run keeps every promise, or reverts for a known reason.
contract ChimeraFuzzTest is ChimeraFixture {
    bytes4 private constant DUST = bytes4(keccak256("MustNotLeaveDust()"));

    /// @param price WETH in the oracle, from deep in bad debt up to the border of health.
    /// @param skew The pool's price against the oracle's, basis points: within 6 %, the bonus being 5 %.
    /// @param debtToCover From one unit to more than there is.
    /// @param floor Collateral units, from one to more than any profit here.
    /// @param gift Collateral, debt token and native coin units sent beforehand.
    function testFuzz_a_run_keeps_every_promise_or_reverts(
        uint256 price,
        uint256 skew,
        uint256 debtToCover,
        uint256 floor,
        uint64 gift
    ) public {
        price = within(price, 1_000e8, 1_818e8);
        market.setPrice(address(weth), price);
        dex.moveTo(pool, weth, price * within(skew, 9_400, 10_600) / 10_000, usdc, USDC_PRICE);
        weth.mint(address(chimera), gift);
        usdc.mint(address(chimera), gift);
        vm.deal(address(chimera), gift);
        debtToCover = within(debtToCover, 1, 16_000e6);
        Liquidation memory job = _job(_flashSwap(debtToCover));

        uint256 before = vm.snapshotState();
        (bool possible, Chimera.Outcome memory expected, bytes memory obstacle) = _attempt(job);
        vm.revertToState(before);

        job.minProfit = within(floor, 1, 0.5e18);
        vm.recordLogs();
        uint256 debtBefore = _debt();
        (bool done, Chimera.Outcome memory outcome, bytes memory error) = _attempt(job);

        if (!possible) {
            vm.assertTrue(_isKnown(bytes4(obstacle)), "known reason");
            vm.assertFalse(done, "possible with a higher floor only");
            if (bytes4(obstacle) != Chimera.ProfitBelowFloor.selector) vm.assertEq(error, obstacle, "same reason");
        } else if (expected.profit < job.minProfit) {
            vm.assertFalse(done, "floor ignored");
            vm.assertEq(
                error,
                abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, expected.profit, job.minProfit),
                "error"
            );
        } else {
            vm.assertTrue(done, "refused above its floor");
            _assertSame(outcome, expected);
            _assertBooksClose(debtToCover, outcome, gift, debtBefore);
        }
        if (!done) {
            vm.assertEq(weth.balanceOf(address(chimera)), gift, "collateral after a revert");
            vm.assertEq(usdc.balanceOf(address(chimera)), gift, "debt token after a revert");
            vm.assertEq(weth.balanceOf(treasury) + usdc.balanceOf(treasury), 0, "treasury after a revert");
        }
        vm.assertEq(address(chimera).balance, gift, "native coin");
    }

    /// @dev The market is paid by what the flash swap brought: it seizes less than the swap costs (CannotRepay), just
    ///      as much (ProfitBelowFloor), or would leave dust.
    function _isKnown(bytes4 reason) private pure returns (bool) {
        return reason == Program.CannotRepay.selector || reason == DUST || reason == Chimera.ProfitBelowFloor.selector;
    }

    function _assertBooksClose(uint256 debtToCover, Chimera.Outcome memory outcome, uint256 gift, uint256 debtBefore)
        private
    {
        (uint256 debtCovered, uint256 seized, uint256 profit) = _event();
        vm.assertEq(debtCovered, outcome.debtCovered, "event, debt covered");
        vm.assertEq(seized, outcome.collateralSeized, "event, collateral seized");
        vm.assertEq(profit, outcome.profit, "event, profit");
        vm.assertEq(outcome.swapOutput, debtToCover, "swap output");
        vm.assertLt(outcome.profit, outcome.collateralSeized, "the swap was paid");

        _assertEmpty(address(weth), address(usdc));
        vm.assertEq(weth.balanceOf(treasury), profit + gift, "treasury, collateral");
        vm.assertEq(usdc.balanceOf(treasury), debtToCover - debtCovered + gift, "treasury, debt token");

        // In bad debt Aave writes off more than was covered.
        vm.assertGe(debtBefore - _debt(), debtCovered * 100, "debt of the borrower");
    }

    function _attempt(Liquidation memory job)
        private
        returns (bool done, Chimera.Outcome memory outcome, bytes memory error)
    {
        bytes memory plan = _plan(job);
        vm.prank(executor);
        try chimera.liquidate(plan) returns (Chimera.Outcome memory made) {
            (done, outcome) = (true, made);
        } catch (bytes memory thrown) {
            error = thrown;
        }
    }

    function _event() private returns (uint256 debtCovered, uint256 seized, uint256 profit) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory last = logs[logs.length - 1];
        vm.assertEq(last.emitter, address(chimera), "last event");
        (,, debtCovered, seized,, profit) =
            abi.decode(last.data, (address, address, uint256, uint256, address, uint256));
    }

    /// @return debtUsd8 The borrower's debt; USDC is worth one dollar, so a hundredth of this is in its units.
    function _debt() private view returns (uint256 debtUsd8) {
        (, debtUsd8,,,,) = aave.getUserAccountData(borrower);
    }
}
