// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IPoolConfigurator} from "aave-v3/interfaces/IPoolConfigurator.sol";

import {Chimera} from "../src/Chimera.sol";
import {Liquidations} from "../src/Liquidations.sol";
import {Program} from "../src/Program.sol";
import {IAaveDebtToken} from "../src/interfaces/IAavePool.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {Quotes} from "./fixtures/Quotes.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Several items of one batch for the same borrower, on real Aave v3.6: a first step that changes the close factor
///         of the second, and several pairs of one position.
/// @dev Aave lets all of a debt be covered below a health factor of 0.95, and of a debt below 2,000 USD always; else half
///      (LiquidationLogic: CLOSE_FACTOR_HF_THRESHOLD, MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD).
contract ChimeraTwoStepsTest is ChimeraFixture, Quotes {
    uint256 private constant DEBT = 2_100e6;
    /// @dev Leaves 1,999 USD: all of it may then be covered.
    uint256 private constant FIRST = 101e6;
    uint256 private constant SECOND = DEBT - FIRST;

    address private debtToken;
    address private account;

    /// @dev 2,100 USDC against 1.39 WETH at 1,800: a health factor of 0.983.
    function setUp() public override {
        super.setUp();
        debtToken = aave.getReserveVariableDebtToken(address(usdc));
        account = _account("two steps");
        _supply(account, weth, 1.39e18);
        _borrow(account, usdc, DEBT);
        _setWethPrice(LOW_WETH_PRICE);
    }

    // ------------------------------------------------------------------------------------------------ plumbing

    function _step(uint256 amount) private view returns (Liquidation memory job) {
        job = _job(_flashSwap(amount));
        job.borrower = account;
    }

    /// @dev With a look: the step is for a debt of so much.
    function _step(uint256 amount, uint256 debtThen) private view returns (Liquidation memory job) {
        job = _step(amount);
        Plans.look(job, debtToken, debtThen);
    }

    function _batch(Liquidation memory first, Liquidation memory second, uint256 gasLimit)
        private
        returns (Chimera.Outcome[] memory)
    {
        (bool done, bytes memory answer) = _tryBatch(first, second, gasLimit);
        vm.assertTrue(done, "done");
        return abi.decode(answer, (Chimera.Outcome[]));
    }

    function _tryBatch(Liquidation memory first, Liquidation memory second, uint256 gasLimit)
        private
        returns (bool, bytes memory)
    {
        bytes[] memory jobs = new bytes[](2);
        (jobs[0], jobs[1]) = (Plans.pack(first), Plans.pack(second));
        uint256[] memory gasLimits = new uint256[](2);
        (gasLimits[0], gasLimits[1]) = (gasLimit, gasLimit);
        bytes memory plan = bytes.concat(_terms(), Plans.batch(jobs, gasLimits));
        vm.prank(executor);
        return address(chimera).call(abi.encodeCall(chimera.liquidateBatch, (plan)));
    }

    function _expectFailure(uint256 index, bytes memory reason) private {
        vm.expectEmit(address(chimera));
        emit Chimera.LiquidationFailed(index, account, reason);
    }

    function _debtLeft() private view returns (uint256) {
        return TestToken(debtToken).balanceOf(account);
    }

    // -------------------------------------------------------------------------------------------- two close factors

    function test_alone_only_half_of_the_debt_can_be_covered() public {
        vm.assertEq(_run(_step(DEBT / 2)).debtCovered, DEBT / 2, "debt covered");
        vm.assertEq(_debtLeft(), DEBT / 2, "debt left");
    }

    function test_a_small_step_opens_all_of_the_rest_to_the_second() public {
        Chimera.Outcome[] memory outcomes = _batch(_step(FIRST, DEBT), _step(SECOND, SECOND), 900_000);

        vm.assertEq(outcomes[0].debtCovered, FIRST, "first");
        vm.assertEq(outcomes[1].debtCovered, SECOND, "second");
        vm.assertEq(_debtLeft(), 0, "debt left");
        vm.assertEq(weth.balanceOf(treasury), outcomes[0].profit + outcomes[1].profit, "treasury");
        vm.assertEq(usdc.balanceOf(treasury), 0, "treasury, debt token");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_two_steps_bring_more_than_the_one_that_the_close_factor_allows() public {
        uint256 before = vm.snapshotState();
        uint256 one = _run(_step(DEBT / 2)).profit;
        vm.revertToState(before);

        Chimera.Outcome[] memory outcomes = _batch(_step(FIRST), _step(SECOND), 0);

        vm.assertGt(outcomes[0].profit + outcomes[1].profit, one * 19 / 10, "profit");
    }

    /// @dev A threshold of 93 % and a bonus of 5 %: each step lowers the health, from 0.96 to below 0.95.
    function test_half_of_the_debt_and_then_all_because_the_health_has_fallen() public {
        IPoolConfigurator configurator = IPoolConfigurator(aave.ADDRESSES_PROVIDER().getPoolConfigurator());
        vm.prank(address(market));
        configurator.configureReserveAsCollateral(address(weth), 90_00, 93_00, 105_00);
        account = borrower; // 15,000 USDC against 10 WETH
        _setWethPrice(1_549e8);
        (,,,,, uint256 health) = aave.getUserAccountData(account);
        vm.assertGt(health, 0.95e18, "health before");

        // All collateral that is left, 7,615 USD, for 7,252 USDC: a unit of it less would be dust, so a little more is bought.
        Chimera.Outcome[] memory outcomes = _batch(_step(7_500e6, 15_000e6), _step(7_260e6, 7_500e6), 900_000);

        vm.assertEq(outcomes[0].debtCovered, 7_500e6, "first");
        vm.assertEq(outcomes[1].debtCovered / 1e6, 7_252, "second");
        (uint256 collateral,,,,,) = aave.getUserAccountData(account);
        vm.assertEq(collateral, 0, "collateral left");
        _assertEmpty(address(weth), address(usdc));
    }

    // ------------------------------------------------------------------------------------- each stands or falls alone

    function test_the_second_step_below_its_floor_fails_alone() public {
        uint256 before = vm.snapshotState();
        uint256 profit = _batch(_step(FIRST), _step(SECOND), 0)[1].profit;
        vm.revertToState(before);
        Liquidation memory greedy = _step(SECOND, SECOND);
        greedy.minProfit = profit + 1;

        _expectFailure(1, abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, profit, profit + 1));
        Chimera.Outcome[] memory outcomes = _batch(_step(FIRST, DEBT), greedy, 900_000);

        vm.assertEq(outcomes[0].debtCovered, FIRST, "first");
        vm.assertEq(_debtLeft(), SECOND, "debt left");
        _assertEmpty(address(weth), address(usdc));
    }

    /// @dev Without the first, the market takes half of what the second buys: what was seized cannot pay for it.
    function test_the_second_step_fails_when_the_first_has_failed() public {
        Liquidation memory greedy = _step(FIRST, DEBT);
        greedy.minProfit = 1e18;

        (bool done, bytes memory error) = _tryBatch(greedy, _step(SECOND, SECOND), 900_000);

        vm.assertFalse(done, "done");
        vm.assertTrue(bytes4(error) == Chimera.ProfitBelowFloor.selector, "reason of the first");
        vm.assertEq(_debtLeft(), DEBT, "debt left");
        vm.assertEq(weth.balanceOf(treasury), 0, "treasury");
        _assertEmpty(address(weth), address(usdc));

        bytes memory reason = _reasonOf(_step(SECOND, SECOND));
        vm.assertTrue(bytes4(reason) == Program.CannotRepay.selector, "reason of the second, alone");
    }

    function test_a_second_step_that_runs_out_of_its_gas_leaves_the_first() public {
        bytes[] memory jobs = new bytes[](2);
        (jobs[0], jobs[1]) = (Plans.pack(_step(FIRST)), Plans.pack(_step(SECOND)));
        uint256[] memory gasLimits = new uint256[](2);
        (gasLimits[0], gasLimits[1]) = (900_000, 60_000);
        bytes memory plan = bytes.concat(_terms(), Plans.batch(jobs, gasLimits));

        _expectFailure(1, "");
        vm.prank(executor);
        Chimera.Outcome[] memory outcomes = chimera.liquidateBatch(plan);

        vm.assertEq(outcomes[0].debtCovered, FIRST, "first");
        vm.assertEq(_debtLeft(), SECOND, "debt left");
    }

    /// @dev A rival covered all that two steps could: both looks end at once.
    function test_a_race_lost_ends_both_steps() public {
        _run(_step(FIRST));
        _run(_step(SECOND));
        bytes memory reason = abi.encodeWithSelector(Liquidations.NothingToLiquidate.selector, account, 0);

        (bool done, bytes memory error) = _tryBatch(_step(FIRST, DEBT), _step(SECOND, SECOND), 900_000);

        vm.assertFalse(done, "done");
        vm.assertEq(error, reason, "reason");
    }

    /// @dev The looks are of the state in which each step runs: the second one's debt is what the first one leaves.
    function test_the_looks_of_both_steps_are_of_their_own_state() public {
        uint256 scaled = IAaveDebtToken(debtToken).scaledBalanceOf(account);
        _expectFailure(1, abi.encodeWithSelector(Liquidations.NothingToLiquidate.selector, account, SECOND));
        _batch(_step(FIRST, scaled), _step(SECOND, scaled), 900_000);
    }

    // ------------------------------------------------------------------------------------------------- other pairs

    /// @dev WETH and DAI against USDC, at a health factor of 0.93 before the first and of 0.97 before the second, which may
    ///      cover half of what is left.
    function test_two_collaterals_of_one_borrower_are_two_items() public {
        TestToken dai = new TestToken("DAI", 18);
        market.list(address(dai), USDC_PRICE);
        dex.open(dai, USDC_PRICE, usdc, USDC_PRICE, FEE, 1_000_000e18);
        account = _account("two collaterals");
        _supply(account, weth, 5e18);
        _supply(account, dai, 10_000e18);
        _setWethPrice(WETH_PRICE);
        _borrow(account, usdc, 16_000e6);
        _setWethPrice(1_600e8); // (8,000 + 10,000) * 0.825 / 16,000 = 0.928
        Liquidation memory ofWeth = _step(6_000e6, 16_000e6);
        Liquidation memory ofDai = _step(5_000e6, 10_000e6);
        ofDai.collateral = address(dai);

        Chimera.Outcome[] memory outcomes = _batch(ofWeth, ofDai, 900_000);

        vm.assertEq(outcomes[0].debtCovered, 6_000e6, "of WETH");
        vm.assertEq(outcomes[1].debtCovered, 5_000e6, "of DAI");
        vm.assertEq(_debtLeft(), 5_000e6, "debt left");
        vm.assertEq(weth.balanceOf(treasury), outcomes[0].profit, "profit in WETH");
        vm.assertEq(dai.balanceOf(treasury), outcomes[1].profit, "profit in DAI");
        _assertEmpty(address(weth), address(usdc));
        _assertEmpty(address(dai), address(usdc));
    }

    // ------------------------------------------------------------------------------------------------- helpers

    function _reasonOf(Liquidation memory job) private returns (bytes memory reason) {
        bytes memory plan = _plan(job);
        vm.prank(executor);
        (, reason) = address(chimera).call(abi.encodeCall(chimera.liquidate, (plan)));
    }
}
