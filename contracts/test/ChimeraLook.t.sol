// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Errors} from "aave-v3/protocol/libraries/helpers/Errors.sol";

import {Chimera} from "../src/Chimera.sol";
import {Liquidations} from "../src/Liquidations.sol";
import {PlanReader} from "../src/PlanReader.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {IAaveDebtToken} from "../src/interfaces/IAavePool.sol";
import {Audit} from "./fixtures/Audit.sol";
import {CompoundMarket} from "./fixtures/CompoundMarket.sol";
import {IMorphoFull, MorphoMarket} from "./fixtures/MorphoMarket.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Says what it was told to say.
contract LyingDebtToken is IAaveDebtToken {
    uint256 public immutable scaledBalanceOfAnybody;

    constructor(uint256 scaledBalance) {
        scaledBalanceOfAnybody = scaledBalance;
    }

    function scaledBalanceOf(address) external view returns (uint256) {
        return scaledBalanceOfAnybody;
    }
}

/// @notice Tries to change something when it is asked.
contract WritingDebtToken {
    uint256 private written;

    function scaledBalanceOf(address) external returns (uint256) {
        written = 1;
        return type(uint128).max;
    }
}

/// @notice A lost race ends at the look at the debt, before anything is borrowed. What is late is told by a plan whose
///         first step does not exist: a run that goes on reverts with `UnknownStep`.
contract ChimeraLookTest is Audit {
    uint256 private constant LLTV = 0.86e18;
    bytes private constant NO_STEP = hex"ff";

    address private debtToken;
    uint256 private scaledDebt;

    function setUp() public override {
        super.setUp();
        debtToken = aave.getReserveVariableDebtToken(address(usdc));
        scaledDebt = _scaledDebt();
        _setWethPrice(LOW_WETH_PRICE);
    }

    // ------------------------------------------------------------------------------------------------ plumbing

    function _scaledDebt() private view returns (uint256) {
        return IAaveDebtToken(debtToken).scaledBalanceOf(borrower);
    }

    /// @dev The fixture's liquidation, with a look.
    function _looking(uint256 least) private view returns (Liquidation memory job) {
        job = _job();
        Plans.look(job, debtToken, least);
    }

    function _stops(Liquidation memory job, uint256 debtLeft) private {
        job.steps = bytes.concat(job.steps, NO_STEP);
        _runReverts(job, abi.encodeWithSelector(Liquidations.NothingToLiquidate.selector, borrower, debtLeft));
    }

    function _goesOn(Liquidation memory job) private {
        job.steps = bytes.concat(job.steps, NO_STEP);
        _runReverts(job, abi.encodeWithSelector(Chimera.UnknownStep.selector, 0xff));
    }

    /// @dev Nothing but the look.
    function _onlyLook(uint256 least) private view returns (Liquidation memory job) {
        job = _job("");
        Plans.look(job, debtToken, least);
    }

    /// @dev The rival holds debt tokens and calls the market itself.
    function _rivalTakes(address account, TestToken collateral, TestToken debt, uint256 amount) private {
        debt.mint(stranger, amount);
        vm.prank(stranger);
        debt.approve(address(aave), amount);
        vm.prank(stranger);
        aave.liquidationCall(address(collateral), address(debt), account, amount, false);
    }

    function _repays(uint256 amount) private {
        usdc.mint(borrower, amount);
        vm.prank(borrower);
        usdc.approve(address(aave), amount);
        vm.prank(borrower);
        aave.repay(address(usdc), amount, 2, borrower);
    }

    // ---------------------------------------------------------------------------------------------------- aave

    function test_a_look_that_finds_the_debt_changes_nothing() public {
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory plain = _audited(_job());
        vm.revertToState(before);

        _assertSame(_audited(_looking(scaledDebt)), plain);
    }

    function test_one_unit_less_than_the_least_stops_the_run() public {
        _goesOn(_onlyLook(scaledDebt));
        _stops(_onlyLook(scaledDebt + 1), scaledDebt);
    }

    function test_a_rival_who_took_the_close_factor_stops_the_run() public {
        _rivalTakes(borrower, weth, usdc, HALF_DEBT);

        vm.assertEq(_scaledDebt(), scaledDebt / 2, "left by the rival");
        _stops(_onlyLook(scaledDebt * 9 / 10), scaledDebt / 2);
    }

    function test_a_debt_that_was_repaid_stops_the_run_whatever_the_least_is() public {
        _repays(20_000e6);

        _stops(_onlyLook(0), 0);
    }

    /// @dev Interest does not change the scaled debt: a plan of last year looks as well.
    function test_interest_is_no_debt_repaid_and_none_new() public {
        vm.warp(block.timestamp + 365 days);

        _goesOn(_onlyLook(scaledDebt));
        _stops(_onlyLook(scaledDebt + 1), scaledDebt);
    }

    /// @dev A borrower who repays a little cannot dodge a plan that leaves room for it.
    function test_a_little_repaid_does_not_stop_a_plan_that_leaves_room() public {
        _repays(1e6);

        vm.assertEq(_audited(_looking(scaledDebt * 9 / 10)).debtCovered, (15_000e6 - 1e6) / 2, "debt covered");
    }

    function test_a_rival_who_took_another_collateral_for_the_same_debt_stops_the_run() public {
        (address account, TestToken dai) = _twoCollaterals();
        uint256 owed = IAaveDebtToken(debtToken).scaledBalanceOf(account);
        _rivalTakes(account, dai, usdc, 2_000e6);

        Liquidation memory job = _onlyLook(owed);
        job.borrower = account;
        job.steps = bytes.concat(job.steps, NO_STEP);
        uint256 left = IAaveDebtToken(debtToken).scaledBalanceOf(account);
        vm.assertLt(left, owed, "debt left");
        _runReverts(job, abi.encodeWithSelector(Liquidations.NothingToLiquidate.selector, account, left));
    }

    /// @dev What the look at one debt cannot see: the position is healthy again, its debt is what it was. The market says
    ///      so, after the flash swap, and everything is undone.
    function test_a_position_healthy_again_with_the_same_debt_is_refused_by_the_market() public {
        _supply(borrower, weth, 10e18);

        _runReverts(_looking(scaledDebt), bytes4(Errors.HealthFactorNotBelowThreshold.selector));
    }

    function test_the_look_stands_behind_reserve_ids_as_well() public {
        Liquidation memory job = _onlyLook(scaledDebt + 1);
        uint16 wethId = aave.getReserveData(address(weth)).id;
        uint16 usdcId = aave.getReserveData(address(usdc)).id;

        _runReverts(
            bytes.concat(_terms(), Plans.packByReserveId(job, wethId, usdcId)),
            abi.encodeWithSelector(Liquidations.NothingToLiquidate.selector, borrower, scaledDebt)
        );
    }

    /// @dev The plan's head is 97 bytes, the look 36.
    function test_a_plan_that_ends_within_its_look_reverts() public {
        bytes memory plan = _plan(_onlyLook(scaledDebt));
        for (uint256 size = 12 + 97; size < 12 + 97 + 36; ++size) {
            assembly ("memory-safe") {
                mstore(plan, size)
            }
            vm.expectRevert();
            _run(plan);
        }
        assembly ("memory-safe") {
            mstore(plan, add(mload(plan), 1))
        }
        _runReverts(plan, abi.encodePacked(Chimera.NothingLiquidated.selector));
    }

    function test_a_lost_race_within_a_batch_fails_alone() public {
        bytes[] memory jobs = new bytes[](2);
        jobs[0] = Plans.pack(_looking(scaledDebt + 1));
        jobs[1] = Plans.pack(_looking(scaledDebt));
        bytes memory plan = bytes.concat(_terms(), Plans.batch(jobs, new uint256[](2)));
        bytes memory reason = abi.encodeWithSelector(Liquidations.NothingToLiquidate.selector, borrower, scaledDebt);

        vm.expectEmit(address(chimera));
        emit Chimera.LiquidationFailed(0, borrower, reason);
        vm.prank(executor);
        Chimera.Outcome[] memory outcomes = chimera.liquidateBatch(plan);

        vm.assertEq(outcomes[0].debtCovered, 0, "failed");
        vm.assertEq(outcomes[1].debtCovered, HALF_DEBT, "went on");
    }

    // --------------------------------------------------------------------------------------- whom the look asks

    /// @dev The executor's word, and its own gas: the market decides in the end.
    function test_C05_a_look_elsewhere_decides_nothing_but_whether_to_go_on() public {
        Liquidation memory job = _job();
        Plans.look(job, address(new LyingDebtToken(type(uint128).max)), type(uint128).max);
        vm.assertEq(_audited(job).debtCovered, HALF_DEBT, "debt covered");

        _runReverts(job, bytes4(Errors.HealthFactorNotBelowThreshold.selector));
    }

    function test_C05_what_the_look_asks_can_change_nothing() public {
        Liquidation memory job = _job();
        Plans.look(job, address(new WritingDebtToken()), 1);
        bytes memory plan = _plan(job);

        // A forbidden write burns all gas that it is given.
        vm.prank(executor);
        vm.expectRevert();
        chimera.liquidate{gas: 1_000_000}(plan);
    }

    function test_C05_a_look_at_no_contract_reverts() public {
        Liquidation memory job = _job();
        Plans.look(job, stranger, 1);

        vm.expectRevert();
        _run(job);
    }

    function test_a_look_in_a_market_that_is_none_reverts() public {
        Roles.Kind[3] memory kinds = [Roles.Kind.None, Roles.Kind.BalancerV2, Roles.Kind.Solidly];
        for (uint256 i; i < kinds.length; ++i) {
            _list(address(aave), kinds[i]);
            _runReverts(
                _onlyLook(scaledDebt), abi.encodeWithSelector(Program.UnknownCounterparty.selector, address(aave))
            );
        }
    }

    // ---------------------------------------------------------------------------------------- compound, morpho

    function test_compounds_stored_debt_is_looked_at() public {
        CompoundMarket compound = new CompoundMarket();
        address mUsdc = compound.list(usdc, USDC_PRICE);
        address mWeth = compound.list(weth, WETH_PRICE);
        compound.supply(lender, mUsdc, 1_000_000e6);
        compound.supply(borrower, mWeth, 10e18);
        compound.borrow(borrower, mUsdc, 15_000e6);
        compound.setPrice(mWeth, LOW_WETH_PRICE);
        _list(address(compound.comptroller()), Roles.Kind.CompoundV2);
        Liquidation memory job = _job("");
        job.market = address(compound.comptroller());
        Plans.look(job, mUsdc, 15_000e6 + 1);
        _stops(job, 15_000e6);

        job.flags = 0;
        job.steps = bytes.concat(
            Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, FEE)), Plans.liquidateCompound(mUsdc, mWeth)
        );
        Plans.look(job, mUsdc, 15_000e6);
        vm.assertEq(_audited(job).debtCovered, HALF_DEBT, "debt covered");
        // The same plan again: half of the debt is left.
        _stops(job, HALF_DEBT);
    }

    function test_morphos_borrow_shares_are_looked_at() public {
        MorphoMarket blue = new MorphoMarket();
        IMorphoFull.MarketParams memory params = blue.create(weth, WETH_PRICE, usdc, USDC_PRICE, LLTV);
        address morpho = address(blue.morpho());
        blue.supply(lender, params, 1_000_000e6);
        blue.supplyCollateral(borrower, params, 10e18);
        blue.borrow(borrower, params, 17_000e6);
        blue.setPrices(params, LOW_WETH_PRICE, USDC_PRICE);
        _list(morpho, Roles.Kind.MorphoBlue);
        bytes32 id = blue.id(params);
        (, uint128 shares,) = IMorphoFull(morpho).position(id, borrower);
        Liquidation memory job = _job("");
        (job.market, job.flags) = (morpho, Plans.PROFIT_IN_DEBT);
        Plans.look(job, id, uint256(shares) + 1);
        _stops(job, shares);

        job.flags = Plans.PROFIT_IN_DEBT;
        job.steps = bytes.concat(
            Plans.liquidateMorpho(params.oracle, params.irm, params.lltv, Plans.CALLBACK, 4e18),
            Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
        );
        Plans.look(job, id, shares);
        vm.assertEq(_audited(job).collateralSeized, 4e18, "seized");
        (, uint128 left,) = IMorphoFull(morpho).position(id, borrower);
        _stops(job, left);
    }

    // ------------------------------------------------------------------------------------------------- helpers

    /// @dev Another position: WETH and DAI as collateral, USDC as debt.
    function _twoCollaterals() private returns (address account, TestToken dai) {
        dai = new TestToken("DAI", 18);
        market.list(address(dai), USDC_PRICE);
        account = _account("two collaterals");
        _supply(account, dai, 5_000e18);
        _supply(account, weth, 8e18);
        _setWethPrice(WETH_PRICE);
        _borrow(account, usdc, 16_500e6);
        _setWethPrice(LOW_WETH_PRICE);
    }
}
