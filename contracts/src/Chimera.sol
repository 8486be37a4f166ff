// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Funding} from "./Funding.sol";
import {Liquidations} from "./Liquidations.sol";
import {IAavePool} from "./interfaces/IAavePool.sol";
import {IWrappedNative} from "./interfaces/IWrappedNative.sol";
import {PlanReader} from "./PlanReader.sol";
import {Program} from "./Program.sol";
import {Roles} from "./Roles.sol";
import {Swaps} from "./Swaps.sol";

/// @title Chimera
/// @notice Liquidates positions without capital of its own: funds, liquidation, swap, repayment and profit in one
///         transaction, or nothing at all.
/// @dev A plan is packed bytes, big-endian, front to back:
///
///      | bytes | terms, once                                                                                |
///      |-------|--------------------------------------------------------------------------------------------|
///      | 5     | deadline: last block timestamp, seconds, at which the plan may run                         |
///      | 5     | last block number at which it may run, 0 for any                                           |
///      | 2     | bid: share of the profit paid to block.coinbase, basis points; profit must be wrapped native |
///
///      | bytes | in a batch only: how many liquidations, and before each of them                            |
///      |-------|--------------------------------------------------------------------------------------------|
///      | 1     | number of liquidations, once                                                               |
///      | 3     | most gas this one may burn, 0 for no limit of its own                                      |
///      | 2     | length of this one                                                                         |
///
///      | bytes | liquidation                                                                                |
///      |-------|--------------------------------------------------------------------------------------------|
///      | 1     | flags: profit in 0 collateral, 1 debt token, 2 wrapped native; 4 measure the protocol's fee; |
///      |       | 8 tokens by their Aave reserve ids; 16 look at the debt first                              |
///      | 20    | market                                                                                     |
///      | 20    | borrower                                                                                   |
///      | 20/2  | collateral                                                                                 |
///      | 20/2  | debt token                                                                                 |
///      | 16    | profit floor, units of the profit token, net of the bid                                    |
///      | 36/48 | with flag 16: where the debt stands and the least of it, see Liquidations._look            |
///      | rest  | steps, each an opcode and its operands: see Swaps, Funding, Liquidations                   |
///
///      Analysers name timestamp and block number (both only tighten a plan) and events after external calls (the
///      reentrancy guard spans the run).
///
///      A run leaves nothing behind: no token balance, no allowance, no expected callback.
///
///      An executor is trusted with timing only. It picks borrower, pair, route and floor, but money leaves for listed
///      counterparties, for genuine pools or for the treasury. The worst a stolen executor key can do is to waste gas,
///      give away the profit of a liquidation (a floor of 1), or pause.
contract Chimera is Roles, Program, Swaps, Funding, Liquidations, ReentrancyGuardTransient {
    using PlanReader for bytes;

    /// @param debtCovered Debt token units the market took.
    /// @param collateralSeized Collateral units the market gave; on Aave with what a sale before the liquidation brought.
    /// @param protocolFee Collateral units the protocol kept of the bonus; 0 unless the plan asks to measure it, which
    ///        costs up to 20,000 gas.
    /// @param swapOutput Debt token units that swaps brought and no later swap took away.
    /// @param flashFee Debt token units paid to the lender on top of its loan.
    /// @param bid Units of wrapped native paid to block.coinbase.
    /// @param profit Units of the profit token sent to the treasury. What is left of the pair's other token comes on top.
    /// @param gasUsed From the first step to here: without the transaction's base cost, its calldata and its refunds.
    struct Outcome {
        uint256 debtCovered;
        uint256 collateralSeized;
        uint256 protocolFee;
        uint256 swapOutput;
        uint256 flashFee;
        uint256 bid;
        uint256 profit;
        uint256 gasUsed;
    }

    /// @param debtCovered Debt token units.
    /// @param collateralSeized Collateral units.
    /// @param profit Units of `profitToken`, net of the bid.
    event Liquidated(
        address indexed market,
        address indexed borrower,
        address collateralAsset,
        address debtAsset,
        uint256 debtCovered,
        uint256 collateralSeized,
        address profitToken,
        uint256 profit
    );
    /// @notice A share of the profit of the liquidation whose event follows was paid to the block's producer.
    event BidPaid(address indexed producer, uint256 amountWei);
    /// @notice One liquidation of a batch failed, alone.
    /// @param index Its place in the batch, from 0.
    /// @param reason What it reverted with, at most 256 bytes of it.
    event LiquidationFailed(uint256 indexed index, address indexed borrower, bytes reason);

    error DeadlinePassed();
    error BlockPassed();
    error UnknownStep(uint256 opcode);
    /// @dev Not one of the liquidations of a batch that this contract itself is running.
    error OnlySelf();
    /// @dev Native coin came from outside a run.
    error NativeNotExpected();
    /// @dev A plan must ask for some profit: a floor of nothing invites a sandwich.
    error NoFloor();
    /// @dev The steps ended without a liquidation.
    error NothingLiquidated();
    /// @dev Units of the profit token.
    error ProfitBelowFloor(uint256 profit, uint256 minProfit);
    /// @dev Only wrapped native can be bid.
    error CannotBid(address profitToken);
    error UnknownFlags(uint256 flags);
    /// @dev Bytes stand behind the last liquidation of a batch.
    error PlanTooLong();

    uint256 private constant PROFIT_TOKEN = 3;
    uint256 private constant MEASURE_FEE = 4;
    uint256 private constant BY_RESERVE_ID = 8;
    uint256 private constant LOOK_FIRST = 16;
    uint256 private constant ALL_FLAGS = 31;
    uint256 private constant BPS = 10_000;
    uint256 private constant REASON_SIZE = 256;
    /// @dev Enough for a producer's contract to take note, too little to burn a batch.
    uint256 private constant BID_GAS = 100_000;

    constructor(address initialOwner, address initialTreasury, address uniswapV3Factory, address wrappedNative)
        Roles(initialOwner, initialTreasury)
        Program(wrappedNative)
        Swaps(uniswapV3Factory)
    {}

    /// @notice Native coin arrives from a redeeming mToken or from unwrapping a bid, only within a run.
    receive() external payable {
        if (!_reentrancyGuardEntered()) revert NativeNotExpected();
    }

    // ---------------------------------------------------------------------------------------------- liquidation

    /// @notice Runs one liquidation and sends the profit to the treasury.
    /// @param plan Terms and one liquidation, see the contract's description.
    /// @return outcome What was done; also the answer to an eth_call that simulates it.
    function liquidate(bytes calldata plan)
        external
        onlyExecutor
        whenNotPaused
        nonReentrant
        returns (Outcome memory outcome)
    {
        uint256 bidBps;
        (bidBps, plan) = _takeTerms(plan);
        _liquidate(plan, bidBps, outcome);
    }

    /// @notice Runs several liquidations. One that fails undoes itself alone, and `LiquidationFailed` says why. When all of
    ///         them fail, the batch reverts with the reason of the first, as it would have done alone.
    /// @param plan Terms and liquidations, see the contract's description.
    /// @return outcomes In the plan's order; all zero for one that failed.
    function liquidateBatch(bytes calldata plan)
        external
        onlyExecutor
        whenNotPaused
        nonReentrant
        returns (Outcome[] memory outcomes)
    {
        uint256 bidBps;
        uint256 count;
        (bidBps, plan) = _takeTerms(plan);
        (count, plan) = (plan.uintAt(0, 1), plan.skip(1));
        outcomes = new Outcome[](count);
        bool done = count == 0;
        bytes memory first;
        for (uint256 i; i < count; ++i) {
            uint256 gasLimit = plan.uintAt(0, 3);
            uint256 size = plan.uintAt(3, 2);
            bytes calldata rest = plan.skip(5 + size);
            bytes memory reason;
            (outcomes[i], reason) = _attempt(i, gasLimit, plan[5:5 + size], bidBps);
            if (outcomes[i].debtCovered != 0) done = true;
            if (i == 0) first = reason;
            plan = rest;
        }
        if (plan.length != 0) revert PlanTooLong();
        if (!done) {
            assembly ("memory-safe") { revert(add(first, 32), mload(first)) }
        }
    }

    /// @notice One liquidation of a batch: a call of its own, so that it can fail alone.
    function liquidateInBatch(bytes calldata liquidation, uint256 bidBps) external returns (Outcome memory outcome) {
        if (msg.sender != address(this)) revert OnlySelf();
        _liquidate(liquidation, bidBps, outcome);
    }

    /// @dev A call in a loop, and a low-level one (analysers: calls-loop, low-level-calls): that is what lets one fail
    ///      alone. It goes to this contract only, and is capped in gas and in the data it may return.
    /// @param gasLimit Most gas it may burn, so that it cannot starve those after it; 0 for no limit of its own.
    /// @return outcome All zero when it failed.
    /// @return answer What it reverted with, at most 256 bytes of it; nothing when it succeeded.
    function _attempt(uint256 index, uint256 gasLimit, bytes calldata liquidation, uint256 bidBps)
        private
        returns (Outcome memory outcome, bytes memory answer)
    {
        bytes memory input = abi.encodeCall(this.liquidateInBatch, (liquidation, bidBps));
        bool done;
        assembly ("memory-safe") {
            if iszero(gasLimit) { gasLimit := gas() }
            done := call(gasLimit, address(), 0, add(input, 32), mload(input), 0, 0)
            // A revert may carry any amount of data (a bomb): only the start of it is copied.
            let size := returndatasize()
            if gt(size, REASON_SIZE) { size := REASON_SIZE }
            answer := mload(0x40)
            mstore(answer, size)
            returndatacopy(add(answer, 32), 0, size)
            mstore(0x40, add(answer, add(32, REASON_SIZE)))
        }
        if (done) return (abi.decode(answer, (Outcome)), "");
        // The borrower stands behind flags and market.
        address borrower = liquidation.length < 41 ? address(0) : address(bytes20(liquidation[21:41]));
        emit LiquidationFailed(index, borrower, answer);
    }

    function _takeTerms(bytes calldata plan) private view returns (uint256 bidBps, bytes calldata rest) {
        rest = plan.skip(12);
        uint256 lastBlock = plan.uintAt(5, 5);
        if (block.timestamp > plan.uintAt(0, 5)) revert DeadlinePassed();
        if (lastBlock != 0 && block.number > lastBlock) revert BlockPassed();
        bidBps = plan.uintAt(10, 2);
    }

    /// @dev Tokens that lie here are swept to the treasury first, so that what is here afterwards is profit.
    /// @param outcome To be filled.
    function _liquidate(bytes calldata liquidation, uint256 bidBps, Outcome memory outcome) private {
        uint256 gasAtStart = gasleft();
        (Job memory job, uint256 minProfit, bytes calldata steps) = _takeJob(liquidation);
        address profitToken = job.profitToken;
        _sweep(job.collateral);
        _sweep(job.debt);
        if (profitToken != job.collateral && profitToken != job.debt) _sweep(profitToken);

        _run(job, steps);

        // A pool that never called back could do so later in this transaction, after its run is over.
        _expectNothing();
        (outcome.collateralSeized, outcome.debtCovered, outcome.protocolFee, outcome.flashFee) = _takeRecords();
        if (outcome.debtCovered == 0) revert NothingLiquidated();
        if (bidBps != 0) outcome.bid = _bid(profitToken, bidBps);
        outcome.profit = _sweep(profitToken);
        if (outcome.profit < minProfit) revert ProfitBelowFloor(outcome.profit, minProfit);
        uint256 debtLeft = profitToken == job.debt ? outcome.profit + outcome.bid : _sweep(job.debt);
        if (profitToken != job.collateral) _sweep(job.collateral);
        if (job.collateral != job.debt) outcome.swapOutput = outcome.debtCovered + outcome.flashFee + debtLeft;
        _emitLiquidated(job, outcome);
        unchecked {
            outcome.gasUsed = gasAtStart - gasleft();
        }
    }

    function _emitLiquidated(Job memory job, Outcome memory outcome) private {
        emit Liquidated(
            job.market,
            job.borrower,
            job.collateral,
            job.debt,
            outcome.debtCovered,
            outcome.collateralSeized,
            job.profitToken,
            outcome.profit
        );
    }

    function _takeJob(bytes calldata liquidation)
        private
        view
        returns (Job memory job, uint256 minProfit, bytes calldata steps)
    {
        uint256 flags = liquidation.uintAt(0, 1);
        job.market = liquidation.addressAt(1);
        job.kind = kindOf[job.market];
        job.borrower = liquidation.addressAt(21);
        if (flags & BY_RESERVE_ID == 0) {
            job.collateral = liquidation.addressAt(41);
            job.debt = liquidation.addressAt(61);
            minProfit = liquidation.uintAt(81, 16);
            steps = liquidation.skip(97);
        } else {
            if (job.kind != Kind.AaveV3) revert UnknownCounterparty(job.market);
            job.collateral = _reserve(job.market, liquidation.uintAt(41, 2));
            job.debt = _reserve(job.market, liquidation.uintAt(43, 2));
            minProfit = liquidation.uintAt(45, 16);
            steps = liquidation.skip(61);
        }
        if (minProfit == 0) revert NoFloor();
        job.measureFee = flags & MEASURE_FEE != 0;
        uint256 ref = flags & PROFIT_TOKEN;
        if (ref == PROFIT_TOKEN || flags > ALL_FLAGS) revert UnknownFlags(flags);
        if (flags & LOOK_FIRST != 0) steps = _look(job, steps);
        (job.profitToken,) = _takeToken(job, ref, steps);
    }

    /// @dev 18 bytes of calldata less for each token, as in Aave's L2Pool, for some 3,500 gas in all: worth it where the fee
    ///      for data outweighs the fee for execution.
    function _reserve(address market, uint256 id) private view returns (address) {
        return IAavePool(market).getReserveAddressById(uint16(id));
    }

    function _bid(address profitToken, uint256 bidBps) private returns (uint256 bid) {
        if (profitToken != weth) revert CannotBid(profitToken);
        bid = _held(weth) * bidBps / BPS;
        uint256 before = address(this).balance;
        IWrappedNative(weth).withdraw(bid);
        _sendNative(block.coinbase, bid, BID_GAS);
        // A producer that sends it back has not been paid.
        if (address(this).balance != before) revert NativeTransferFailed();
        emit BidPaid(block.coinbase, bid);
    }

    /// @inheritdoc Program
    function _run(Job memory job, bytes calldata steps) internal override {
        while (steps.length != 0) {
            uint256 opcode = steps.uintAt(0, 1);
            steps = steps.skip(1);
            if (opcode == LIQUIDATE) steps = _liquidateAt(job, steps);
            else if (opcode == BUY) return _buy(job, steps);
            else if (opcode == SELL) steps = _sell(job, steps);
            else if (opcode == LOAN) return _loan(job, steps);
            else if (opcode == INVENTORY) return _inventory(job, steps);
            else revert UnknownStep(opcode);
        }
    }
}
