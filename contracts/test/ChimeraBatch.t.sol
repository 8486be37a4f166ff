// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Errors} from "aave-v3/protocol/libraries/helpers/Errors.sol";

import {Chimera} from "../src/Chimera.sol";
import {PlanReader} from "../src/PlanReader.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Audit} from "./fixtures/Audit.sol";
import {FailingMarket} from "./fixtures/FailingMarket.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {Vm, vm} from "./fixtures/Vm.sol";

/// @notice Five borrowers, each like the fixture's, in one transaction: each stands or falls alone.
contract ChimeraBatchTest is Audit {
    uint256 private constant COUNT = 5;

    address[] private borrowers;
    FailingMarket private failing;

    function setUp() public override {
        super.setUp();
        borrowers.push(borrower);
        for (uint256 i = 1; i < COUNT; ++i) {
            borrowers.push(vm.addr(i));
            _supply(borrowers[i], weth, 10e18);
            _borrow(borrowers[i], usdc, 15_000e6);
        }
        _setWethPrice(LOW_WETH_PRICE);
        failing = new FailingMarket();
        _list(address(failing), Roles.Kind.AaveV3);
    }

    // ------------------------------------------------------------------------------------------------- plumbing

    function _jobs() private view returns (bytes[] memory jobs) {
        jobs = new bytes[](COUNT);
        for (uint256 i; i < COUNT; ++i) {
            jobs[i] = Plans.pack(_jobFor(borrowers[i]));
        }
    }

    function _jobFor(address account) private view returns (Liquidation memory job) {
        job = _job();
        job.borrower = account;
    }

    /// @dev The fixture's liquidation, at the market that fails.
    function _failingJob() private view returns (bytes memory) {
        Liquidation memory job = _job();
        job.market = address(failing);
        return Plans.pack(job);
    }

    function _batch(bytes[] memory jobs) private pure returns (bytes memory) {
        return Plans.batch(jobs, new uint256[](jobs.length));
    }

    function _runBatch(bytes memory batch) private returns (Chimera.Outcome[] memory) {
        bytes memory plan = bytes.concat(_terms(), batch);
        vm.prank(executor);
        return chimera.liquidateBatch(plan);
    }

    function _expectFailure(uint256 index, address account, bytes memory reason) private {
        vm.expectEmit(address(chimera));
        emit Chimera.LiquidationFailed(index, account, reason);
    }

    function _isZero(Chimera.Outcome memory outcome) private pure returns (bool) {
        Chimera.Outcome memory nothing;
        return keccak256(abi.encode(outcome)) == keccak256(abi.encode(nothing));
    }

    /// @dev All but one did what they would have done without it.
    function _assertOnlyFailed(Chimera.Outcome[] memory outcomes, uint256 failed) private view {
        uint256 profits;
        for (uint256 i; i < outcomes.length; ++i) {
            vm.assertTrue(_isZero(outcomes[i]) == (i == failed), "zero outcome");
            if (i == failed) continue;
            vm.assertEq(outcomes[i].debtCovered, HALF_DEBT, "debt covered");
            vm.assertEq(outcomes[i].collateralSeized, _seizedAtLowPrice(HALF_DEBT), "seized");
            profits += outcomes[i].profit;
        }
        vm.assertEq(weth.balanceOf(treasury), profits, "treasury");
        vm.assertEq(usdc.balanceOf(treasury), 0, "treasury, debt token");
        _assertEmpty(address(weth), address(usdc));
    }

    // --------------------------------------------------------------------------------------------- all together

    function test_five_borrowers() public {
        vm.recordLogs();
        uint256 gas = gasleft();
        Chimera.Outcome[] memory outcomes = _runBatch(_batch(_jobs()));
        gas -= gasleft();
        Vm.Log[] memory logs = vm.getRecordedLogs();

        vm.assertEq(outcomes.length, COUNT, "outcomes");
        _assertOnlyFailed(outcomes, COUNT);
        _assertNothingLeft(logs);
        uint256 liquidated;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != address(chimera)) continue;
            vm.assertTrue(logs[i].topics[0] == Chimera.Liquidated.selector, "event");
            vm.assertEq(address(uint160(uint256(logs[i].topics[2]))), borrowers[liquidated], "event, borrower");
            gas -= outcomes[liquidated].gasUsed;
            // Each one pays the pool more than the one before.
            if (liquidated != 0) {
                vm.assertLt(outcomes[liquidated].profit, outcomes[liquidated - 1].profit, "profit");
            }
            ++liquidated;
        }
        vm.assertEq(liquidated, COUNT, "events");
        // What is left is the frame around them: a few thousand units for each.
        vm.assertLt(gas, COUNT * 25_000, "gas beyond the sum");
    }

    function test_one_and_the_same_plan_alone_and_in_a_batch() public {
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory alone = _run(_job());
        vm.revertToState(before);
        bytes[] memory jobs = new bytes[](1);
        jobs[0] = Plans.pack(_job());

        Chimera.Outcome[] memory outcomes = _runBatch(_batch(jobs));

        alone.gasUsed = outcomes[0].gasUsed;
        vm.assertEq(abi.encode(outcomes[0]), abi.encode(alone), "outcome");
    }

    function test_an_empty_batch() public {
        vm.assertEq(_runBatch(_batch(new bytes[](0))).length, 0, "outcomes");
    }

    /// @dev The first liquidation makes the position healthy.
    function test_the_same_borrower_twice() public {
        bytes[] memory jobs = new bytes[](2);
        jobs[0] = jobs[1] = Plans.pack(_job());

        _expectFailure(1, borrower, abi.encodePacked(Errors.HealthFactorNotBelowThreshold.selector));
        _assertOnlyFailed(_runBatch(_batch(jobs)), 1);
    }

    /// @dev What was recorded for one liquidation is not found by the next.
    function test_one_measures_its_fees_and_the_next_has_none() public {
        Liquidation memory measuring = _job();
        measuring.flags = Plans.MEASURE_FEE;
        bytes[] memory jobs = new bytes[](3);
        jobs[0] = Plans.pack(measuring);
        measuring.borrower = borrowers[1];
        measuring.minProfit = 1e18;
        jobs[1] = Plans.pack(measuring);
        jobs[2] = Plans.pack(_jobFor(borrowers[2]));

        Chimera.Outcome[] memory outcomes = _runBatch(_batch(jobs));

        vm.assertGt(outcomes[0].protocolFee, 0, "measured");
        vm.assertTrue(_isZero(outcomes[1]), "below its floor");
        vm.assertEq(outcomes[2].protocolFee, 0, "not measured");
        vm.assertEq(outcomes[2].collateralSeized, outcomes[0].collateralSeized, "the same otherwise");
    }

    // ------------------------------------------------------------------------------------------- failures, alone

    function test_a_healthy_borrower_fails_alone() public {
        _supply(borrowers[2], weth, 1e18);

        _expectFailure(2, borrowers[2], abi.encodePacked(Errors.HealthFactorNotBelowThreshold.selector));
        _assertOnlyFailed(_runBatch(_batch(_jobs())), 2);
    }

    /// @dev Everything was done, and is undone: the pool stands as if it had never been asked.
    function test_a_profit_below_its_floor_fails_alone() public {
        uint256 before = vm.snapshotState();
        uint256 profit = _run(_job()).profit;
        vm.revertToState(before);
        Liquidation memory greedy = _job();
        greedy.minProfit = profit + 1;
        bytes[] memory jobs = new bytes[](2);
        jobs[0] = Plans.pack(greedy);
        jobs[1] = Plans.pack(_jobFor(borrowers[1]));

        _expectFailure(0, borrower, abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, profit, profit + 1));
        Chimera.Outcome[] memory outcomes = _runBatch(_batch(jobs));

        _assertOnlyFailed(outcomes, 0);
        vm.assertEq(outcomes[1].profit, profit, "profit of the next");
    }

    function test_when_all_fail_the_batch_reverts_with_the_reason_of_the_first() public {
        _setWethPrice(WETH_PRICE);
        bytes[] memory jobs = _jobs();
        Liquidation memory unknown = _job();
        unknown.market = address(1);
        jobs[1] = Plans.pack(unknown);

        bytes memory plan = bytes.concat(_terms(), _batch(jobs));
        vm.prank(executor);
        vm.expectRevert(Errors.HealthFactorNotBelowThreshold.selector);
        chimera.liquidateBatch(plan);

        vm.assertEq(weth.balanceOf(treasury), 0, "treasury");
        _assertEmpty(address(weth), address(usdc));
    }

    /// @param size Bytes of the reason; of 256 each arrives, of more no more.
    function test_a_reason_of_any_size(uint256 size) public {
        size %= 2_000;
        bytes memory reason = new bytes(size);
        for (uint256 i; i < size; ++i) {
            reason[i] = bytes1(uint8(i % 251));
        }
        failing.failWith(reason);
        bytes[] memory jobs = new bytes[](2);
        jobs[0] = _failingJob();
        jobs[1] = Plans.pack(_job());
        bytes memory start = new bytes(size < 256 ? size : 256);
        for (uint256 i; i < start.length; ++i) {
            start[i] = reason[i];
        }

        _expectFailure(0, borrower, start);
        _assertOnlyFailed(_runBatch(_batch(jobs)), 0);
    }

    function test_a_market_struck_off_fails_alone() public {
        _list(address(failing), Roles.Kind.None);
        bytes[] memory jobs = _jobs();
        jobs[4] = _failingJob();

        _expectFailure(4, borrower, abi.encodeWithSelector(Program.UnknownCounterparty.selector, address(failing)));
        _assertOnlyFailed(_runBatch(_batch(jobs)), 4);
    }

    // ------------------------------------------------------------------------------------------------------ gas

    function _burningFirst(uint256 gasLimit) private returns (bytes memory) {
        failing.burn();
        bytes[] memory jobs = _jobs();
        jobs[0] = _failingJob();
        uint256[] memory gasLimits = new uint256[](COUNT);
        gasLimits[0] = gasLimit;
        return bytes.concat(_terms(), Plans.batch(jobs, gasLimits));
    }

    function test_one_that_burns_all_its_gas_leaves_the_others_theirs() public {
        bytes memory plan = _burningFirst(600_000);

        _expectFailure(0, borrower, "");
        vm.prank(executor);
        Chimera.Outcome[] memory outcomes = chimera.liquidateBatch{gas: 4_000_000}(plan);

        _assertOnlyFailed(outcomes, 0);
    }

    /// @dev The same gas, and what happens to the others where no limit was set: of the gas only a 64th is left.
    function test_one_that_burns_all_gas_without_a_limit_starves_the_others() public {
        bytes memory plan = _burningFirst(0);

        vm.prank(executor);
        try chimera.liquidateBatch{gas: 4_000_000}(plan) returns (Chimera.Outcome[] memory outcomes) {
            for (uint256 i; i < COUNT; ++i) {
                vm.assertTrue(_isZero(outcomes[i]), "starved");
            }
        } catch (bytes memory error) {
            vm.assertEq(error.length, 0, "out of gas");
        }
        vm.assertEq(weth.balanceOf(treasury), 0, "treasury");
    }

    function test_a_limit_below_what_it_takes() public {
        uint256[] memory gasLimits = new uint256[](COUNT);
        gasLimits[3] = 5_000;

        _expectFailure(3, borrowers[3], "");
        _assertOnlyFailed(_runBatch(Plans.batch(_jobs(), gasLimits)), 3);
    }

    function test_a_limit_above_what_it_takes() public {
        uint256[] memory gasLimits = new uint256[](COUNT);
        for (uint256 i; i < COUNT; ++i) {
            gasLimits[i] = 900_000;
        }

        _assertOnlyFailed(_runBatch(Plans.batch(_jobs(), gasLimits)), COUNT);
    }

    // ------------------------------------------------------------------------------------------------ malformed

    function test_a_liquidation_too_short_to_name_a_borrower_fails_alone() public {
        bytes[] memory jobs = _jobs();
        jobs[1] = hex"00";

        _expectFailure(1, address(0), abi.encodePacked(PlanReader.PlanTooShort.selector));
        _assertOnlyFailed(_runBatch(_batch(jobs)), 1);
    }

    /// @dev It ends behind the borrower's address; what follows it in the plan belongs to the next one.
    function test_a_liquidation_that_ends_in_the_middle_of_a_field_fails_alone() public {
        bytes[] memory jobs = _jobs();
        bytes memory cut = jobs[1];
        assembly ("memory-safe") {
            mstore(cut, 41)
        }

        _expectFailure(1, borrowers[1], abi.encodePacked(PlanReader.PlanTooShort.selector));
        _assertOnlyFailed(_runBatch(_batch(jobs)), 1);
    }

    function test_a_liquidation_of_no_bytes_fails_alone() public {
        bytes[] memory jobs = _jobs();
        jobs[0] = "";

        _expectFailure(0, address(0), abi.encodePacked(PlanReader.PlanTooShort.selector));
        _assertOnlyFailed(_runBatch(_batch(jobs)), 0);
    }

    /// @dev Where the batch itself is cut off nobody can tell what was meant: nothing runs.
    function test_a_batch_that_ends_too_soon_does_nothing(uint256 length) public {
        bytes memory plan = bytes.concat(_terms(), _batch(_jobs()));
        length %= plan.length;
        assembly ("memory-safe") {
            mstore(plan, length)
        }

        // A cut within the terms may cut the deadline itself.
        if (length >= 12) vm.expectRevert(PlanReader.PlanTooShort.selector);
        else vm.expectRevert();
        vm.prank(executor);
        chimera.liquidateBatch(plan);
    }

    // -------------------------------------------------------------------------------------------------- callers

    function test_the_terms_hold_for_the_whole_batch() public {
        bytes memory batch = _batch(_jobs());
        bytes memory late = bytes.concat(Plans.terms(block.timestamp - 1, 0, 0), batch);
        bytes memory stale = bytes.concat(Plans.terms(block.timestamp, block.number, 0), batch);

        vm.prank(executor);
        vm.expectRevert(Chimera.DeadlinePassed.selector);
        chimera.liquidateBatch(late);

        uint256 number = block.number;
        vm.roll(number + 1);
        vm.prank(executor);
        vm.expectRevert(Chimera.BlockPassed.selector);
        chimera.liquidateBatch(stale);

        vm.roll(number);
        vm.prank(executor);
        _assertOnlyFailed(chimera.liquidateBatch(stale), COUNT);
    }

    function test_only_an_executor_runs_a_batch_and_not_while_paused() public {
        bytes memory plan = bytes.concat(_terms(), _batch(_jobs()));
        address[2] memory others = [stranger, owner];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(Roles.NotExecutor.selector, others[i]));
            chimera.liquidateBatch(plan);
        }

        vm.prank(executor);
        chimera.pause();
        vm.prank(executor);
        vm.expectRevert(abi.encodeWithSignature("EnforcedPause()"));
        chimera.liquidateBatch(plan);
    }

    function test_a_liquidation_of_a_batch_is_nobodys_to_call() public {
        bytes memory liquidation = Plans.pack(_job());
        address[4] memory callers = [stranger, executor, owner, address(aave)];
        for (uint256 i; i < callers.length; ++i) {
            vm.prank(callers[i]);
            vm.expectRevert(Chimera.OnlySelf.selector);
            chimera.liquidateInBatch(liquidation, 0);
        }
    }
}
