// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IPoolConfigurator} from "aave-v3/interfaces/IPoolConfigurator.sol";

import {Chimera} from "../src/Chimera.sol";
import {Liquidations} from "../src/Liquidations.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Swaps} from "../src/Swaps.sol";
import {Audit} from "./fixtures/Audit.sol";
import {CompoundMarket, IMTokenFull} from "./fixtures/CompoundMarket.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Aave by the ids of its reserves, the protocols' fees, and Compound v2 with its error codes and native coin.
contract ChimeraMarketsTest is Audit {
    /// @dev ErrorReporter.sol: Error.COMPTROLLER_REJECTION and Error.TOKEN_INSUFFICIENT_CASH.
    uint256 private constant REJECTED = 3;
    uint256 private constant NO_CASH = 14;
    /// @dev 7,500 / 1,800 * 1.08, of which 2.8 % stay with the protocol (CompoundMarket).
    uint256 private constant COMPOUND_SEIZED = 4.374e18;
    uint256 private constant COMPOUND_FEE = 0.126e18;

    CompoundMarket private compound;
    address private comptroller;
    address private mUsdc;
    address private mWeth;
    address private mNative;

    function setUp() public override {
        super.setUp();
        compound = new CompoundMarket();
        comptroller = address(compound.comptroller());
        mUsdc = compound.list(usdc, USDC_PRICE);
        mWeth = compound.list(weth, WETH_PRICE);
        mNative = compound.listNative(WETH_PRICE);
        compound.supply(lender, mUsdc, 1_000_000e6);
        _list(comptroller, Roles.Kind.CompoundV2);
        _setWethPrice(LOW_WETH_PRICE);
    }

    // ---------------------------------------------------------------------------------------------------- aave

    function _byReserveId(Liquidation memory job) private view returns (bytes memory) {
        uint16 collateralId = aave.getReserveData(job.collateral).id;
        uint16 debtId = aave.getReserveData(job.debt).id;
        return bytes.concat(_terms(), Plans.packByReserveId(job, collateralId, debtId));
    }

    function test_aave_tokens_by_their_reserve_ids() public {
        Liquidation memory job = _job();
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory byAddress = _audited(job);
        vm.revertToState(before);

        (Chimera.Outcome memory byId,) = _auditedPlan(job, _byReserveId(job));

        byAddress.gasUsed = byId.gasUsed;
        vm.assertEq(abi.encode(byId), abi.encode(byAddress), "outcome");
    }

    function test_reserve_ids_that_do_not_exist() public {
        Liquidation memory job = _job();

        vm.expectRevert();
        _run(bytes.concat(_terms(), Plans.packByReserveId(job, 77, 1)));
    }

    function test_reserve_ids_in_a_market_that_is_not_aave() public {
        Liquidation memory job = _job();
        bytes memory plan = _byReserveId(job);
        address[2] memory others = [comptroller, stranger];
        for (uint256 i; i < others.length; ++i) {
            job.market = others[i];
            plan = bytes.concat(_terms(), Plans.packByReserveId(job, 0, 1));
            _runReverts(plan, abi.encodeWithSelector(Program.UnknownCounterparty.selector, others[i]));
        }
    }

    function test_a_market_that_is_not_listed_or_no_market() public {
        Liquidation memory job = _job();
        job.market = stranger;
        _runReverts(job, abi.encodeWithSelector(Program.UnknownCounterparty.selector, stranger));

        Roles.Kind[4] memory others =
            [Roles.Kind.BalancerV2, Roles.Kind.BalancerV3, Roles.Kind.Slipstream, Roles.Kind.Solidly];
        for (uint256 i; i < others.length; ++i) {
            _list(stranger, others[i]);
            _runReverts(job, abi.encodeWithSelector(Program.UnknownCounterparty.selector, stranger));
        }
    }

    function test_aaves_fee_is_measured_when_asked_for() public {
        Liquidation memory job = _job();
        uint256 before = vm.snapshotState();
        uint256 unmeasured = _audited(job).protocolFee;
        vm.revertToState(before);
        job.flags |= Plans.MEASURE_FEE;

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(unmeasured, 0, "not asked for");
        // A tenth of the bonus: what half the debt is worth, times 5 %.
        vm.assertEq(outcome.protocolFee / 1e6, HALF_DEBT * 1e18 / 1_800e6 / 20 / 10 / 1e6, "fee");
    }

    /// @dev The aToken's balances are no longer whole multiples of its scaled ones.
    function test_aaves_fee_is_measured_after_years_of_interest() public {
        _borrow(lender, weth, 700e18);
        vm.warp(block.timestamp + 1000 days);
        // The collateral, too, has earned interest.
        _setWethPrice(1_700e8);
        Liquidation memory job = _job();
        job.flags |= Plans.MEASURE_FEE;

        vm.assertGt(_audited(job).protocolFee, 0, "fee");
    }

    function test_a_market_that_keeps_nothing() public {
        IPoolConfigurator configurator = IPoolConfigurator(aave.ADDRESSES_PROVIDER().getPoolConfigurator());
        vm.prank(address(market));
        configurator.setLiquidationProtocolFee(address(weth), 0);
        Liquidation memory job = _job();
        job.flags |= Plans.MEASURE_FEE;

        vm.assertEq(_audited(job).protocolFee, 0, "fee");
    }

    // ------------------------------------------------------------------------------------------------ compound

    /// @dev 15,000 USDC against 10 WETH or 10 ETH, half of the debt by flash swap: liquidatable below 1,875 USD.
    function _compoundJob(address mCollateral) private returns (Liquidation memory) {
        compound.supply(borrower, mCollateral, 10e18);
        compound.borrow(borrower, mUsdc, 15_000e6);
        compound.setPrice(mCollateral, LOW_WETH_PRICE);
        return _compoundPlan(HALF_DEBT, mCollateral);
    }

    function _compoundPlan(uint256 repaid, address mCollateral) private view returns (Liquidation memory job) {
        bytes memory purchase = Plans.buy(repaid, Plans.uniswap(Plans.COLLATERAL, FEE));
        job = _job(bytes.concat(purchase, Plans.liquidateCompound(mUsdc, mCollateral)));
        job.market = comptroller;
        job.flags = Plans.MEASURE_FEE;
    }

    function _liquidatesOnCompound(address mCollateral) private {
        Liquidation memory job = _compoundJob(mCollateral);
        uint256 cost = _costOf(pool, address(usdc), HALF_DEBT);

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(outcome.debtCovered, HALF_DEBT, "debt covered");
        vm.assertEq(IMTokenFull(mUsdc).borrowBalanceStored(borrower), HALF_DEBT, "debt left");
        vm.assertEq(outcome.collateralSeized, COMPOUND_SEIZED, "seized");
        vm.assertEq(outcome.protocolFee, COMPOUND_FEE, "fee");
        vm.assertEq(outcome.profit, COMPOUND_SEIZED - cost, "profit");
    }

    function test_compound_over_an_erc20() public {
        _liquidatesOnCompound(mWeth);
    }

    function test_compound_over_native_coin_which_is_wrapped() public {
        _liquidatesOnCompound(mNative);
    }

    function test_compounds_fee_is_only_measured_when_asked_for() public {
        Liquidation memory job = _compoundJob(mWeth);
        job.flags = 0;

        vm.assertEq(_audited(job).protocolFee, 0, "fee");
    }

    /// @dev The exchange rate is no round number any more.
    function test_compounds_fee_is_what_its_reserves_grow_by() public {
        Liquidation memory job = _compoundJob(mWeth);
        compound.supply(lender, mWeth, 10e18);
        compound.supply(stranger, mUsdc, 1_000_000e6);
        compound.borrow(stranger, mWeth, 12e18);
        vm.roll(block.number + 777_777);

        // The audit compares the two; here the fee need only differ from what it is at the round rate.
        vm.assertTrue(_audited(job).protocolFee != COMPOUND_FEE, "fee");
    }

    function test_native_coin_that_lay_here_is_neither_wrapped_nor_profit() public {
        vm.deal(address(chimera), 1 ether);

        _liquidatesOnCompound(mNative);
        vm.assertEq(address(chimera).balance, 1 ether, "left where it was");
    }

    /// @dev mTokens that lay here stay: only those of this liquidation are redeemed.
    function test_mtokens_that_lay_here_are_no_profit() public {
        uint256 gift = 5e8;
        compound.supply(lender, mWeth, 10e18);
        vm.prank(lender);
        TestToken(mWeth).transfer(address(chimera), gift);
        Liquidation memory job = _compoundJob(mWeth);

        vm.assertEq(_run(job).collateralSeized, COMPOUND_SEIZED, "seized");
        vm.assertEq(IMTokenFull(mWeth).balanceOf(address(chimera)), gift, "left where they were");
    }

    function test_compound_after_a_loan_that_brought_the_debt() public {
        Liquidation memory job = _compoundJob(mNative);
        job.flags = Plans.PROFIT_IN_DEBT;
        job.steps = bytes.concat(
            Plans.loan(address(aave), HALF_DEBT),
            Plans.liquidateCompound(mUsdc, mNative),
            Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.NATIVE, FEE))
        );
        uint256 proceeds = _worthOf(pool, address(weth), COMPOUND_SEIZED);

        vm.assertEq(_audited(job).profit, proceeds - HALF_DEBT, "profit");
    }

    function _refusesWith(Liquidation memory job, address mToken, uint256 code) private {
        _runReverts(job, abi.encodeWithSelector(Liquidations.CompoundError.selector, mToken, code));
    }

    function test_compound_refuses_more_than_the_close_factor() public {
        _compoundJob(mWeth);

        _refusesWith(_compoundPlan(HALF_DEBT + 1, mWeth), mUsdc, REJECTED);
    }

    function test_compound_refuses_a_healthy_account() public {
        Liquidation memory job = _compoundJob(mWeth);
        compound.setPrice(mWeth, 1_875e8);

        _refusesWith(job, mUsdc, REJECTED);
    }

    function test_compound_refuses_collateral_of_another_comptroller() public {
        Liquidation memory job = _compoundJob(mWeth);
        address foreign = new CompoundMarket().list(weth, WETH_PRICE);
        job.steps = bytes.concat(
            Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, FEE)), Plans.liquidateCompound(mUsdc, foreign)
        );

        _refusesWith(job, mUsdc, REJECTED);
    }

    /// @dev All of the collateral market's cash is lent out: mTokens can be seized, but not redeemed.
    function test_a_market_without_cash_cannot_redeem() public {
        address[2] memory mCollaterals = [mWeth, mNative];
        for (uint256 i; i < mCollaterals.length; ++i) {
            uint256 before = vm.snapshotState();
            Liquidation memory job = _compoundJob(mCollaterals[i]);
            compound.supply(stranger, mUsdc, 1_000_000e6);
            compound.borrow(stranger, mCollaterals[i], 10e18);

            _refusesWith(job, mCollaterals[i], NO_CASH);
            vm.revertToState(before);
        }
    }

    function test_an_mtoken_the_comptroller_does_not_list() public {
        _compoundJob(mWeth);
        Liquidation memory job = _job(
            bytes.concat(
                Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, FEE)), Plans.liquidateCompound(stranger, mWeth)
            )
        );
        job.market = comptroller;

        _runReverts(job, abi.encodeWithSelector(Liquidations.NotListed.selector, stranger));
    }

    /// @dev USDC offered to a market of another token, which takes its own by allowance and finds none.
    function test_an_mtoken_of_another_debt_token() public {
        TestToken dai = new TestToken("DAI", 18);
        address mDai = compound.list(dai, USDC_PRICE);
        compound.supply(lender, mDai, 1_000_000e18);
        compound.supply(borrower, mWeth, 10e18);
        compound.borrow(borrower, mDai, 15_000e18);
        compound.setPrice(mWeth, LOW_WETH_PRICE);
        Liquidation memory job = _job(
            bytes.concat(
                Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, FEE)), Plans.liquidateCompound(mDai, mWeth)
            )
        );
        job.market = comptroller;

        _runReverts(job, TestToken.InsufficientAllowance.selector);
    }

    /// @dev The plan names DAI, the mToken redeems to WETH: pools could be paid with it, and the rest would stay.
    function test_an_mtoken_of_another_collateral() public {
        Liquidation memory job = _compoundJob(mWeth);
        job.collateral = address(new TestToken("DAI", 18));
        job.flags = Plans.PROFIT_IN_DEBT;
        dex.open(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, 3000, 10_000e18);
        job.steps = bytes.concat(
            Plans.buy(HALF_DEBT, Plans.uniswap(Plans.NATIVE, FEE)),
            Plans.liquidateCompound(mUsdc, mWeth),
            Plans.buy(1, Plans.uniswap(Plans.NATIVE, 3000))
        );

        _runReverts(job, abi.encodeWithSelector(Swaps.ForeignToken.selector, weth));
    }

    function test_native_coin_for_another_collateral() public {
        TestToken dai = new TestToken("DAI", 18);
        dex.open(dai, USDC_PRICE, usdc, USDC_PRICE, FEE, 1_000_000e18);
        Liquidation memory job = _compoundJob(mNative);
        job.collateral = address(dai);

        _runReverts(job, abi.encodeWithSelector(Liquidations.NotWrappedNative.selector, dai));
    }

    /// @dev Dust so small that not one mToken is seized: there is nothing to measure a fee by, and no profit either.
    function test_nothing_is_seized_for_dust() public {
        TestToken dear = new TestToken("DEAR", 8);
        uint256 cost = _costOf(dex.open(dear, 1_000_000e8, usdc, USDC_PRICE, FEE, 1_000e8), address(usdc), 1);
        address mDear = compound.list(dear, 1_000_000e8);
        compound.supply(borrower, mDear, 1e8);
        compound.borrow(borrower, mUsdc, 800_000e6);
        compound.setPrice(mDear, 900_000e8);
        Liquidation memory job = _compoundPlan(1, mDear);
        job.collateral = address(dear);

        for (uint8 measure; measure < 2; ++measure) {
            job.flags = measure * Plans.MEASURE_FEE;
            _runReverts(job, abi.encodeWithSelector(Program.CannotRepay.selector, dear, 0, cost));
        }
    }
}
