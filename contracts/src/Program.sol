// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";

import {PlanReader} from "./PlanReader.sol";
import {Roles} from "./Roles.sol";

/// @title What every step of a plan shares
/// @notice A step that borrows (`LOAN`, `BUY`) runs all steps after it inside the lender's callback and repays when
///         they are done: what a plan borrows first it repays last.
/// @dev The one defence of all callbacks: `_expect` notes who is about to call back which function with which data, and
///      `_takeCallback` accepts that call, once. The note lives in transient storage, so outside our own transaction every
///      callback reverts, and what a callback is told is what was written here.
abstract contract Program is Roles {
    using SafeERC20 for IERC20;
    using PlanReader for bytes;
    using TransientSlot for bytes32;
    using TransientSlot for TransientSlot.Bytes32Slot;
    using TransientSlot for TransientSlot.Uint256Slot;

    /// @dev What each step knows of the liquidation it belongs to. Travels through callbacks in their `data`.
    struct Job {
        address market;
        /// How the market is listed.
        Kind kind;
        address borrower;
        address collateral;
        address debt;
        /// Measure the protocol's fee too (see `Outcome.protocolFee`).
        bool measureFee;
        /// Debt token units that the steps so far have brought: what is offered to the market.
        uint256 funded;
        /// The token in which profit is measured.
        address profitToken;
        /// In the callback of a swap: the token that its pool wants.
        address payWith;
    }

    /// @dev Bytes of a Job in memory: a word for each field.
    uint256 private constant JOB_SIZE = 288;

    error UnexpectedCallback();
    /// @dev Not listed, or listed as something that the step cannot use.
    error UnknownCounterparty(address counterparty);
    /// @dev What must be repaid is more than what is left to repay it with. Units of `token`.
    error CannotRepay(address token, uint256 held, uint256 owed);
    /// @dev A plan has one `LIQUIDATE` step; a batch holds several liquidations.
    error AlreadyLiquidated();
    /// @dev An amount of 2^128 or more.
    error AmountTooLarge();

    /// @dev Transient: fingerprint of the callback that the running call awaits, zero at all other times.
    bytes32 private constant EXPECTED = keccak256("chimera.expected-callback");
    /// @dev Transient: collateral seized << 128 | debt covered, of the running liquidation.
    bytes32 private constant SEIZED_AND_COVERED = keccak256("chimera.seized-and-covered");
    /// @dev Transient: protocol's fee << 128 | lenders' fees, of the running liquidation.
    bytes32 private constant FEES = keccak256("chimera.fees");

    /// @notice The chain's wrapped native coin.
    address public immutable weth;

    constructor(address wrappedNative) {
        if (wrappedNative == address(0)) revert ZeroAddress();
        weth = wrappedNative;
    }

    /// @dev Executes steps until none is left.
    function _run(Job memory job, bytes calldata steps) internal virtual;

    // ----------------------------------------------------------------------------------------------- callbacks

    function _expect(address caller, bytes4 callback, bytes memory data) internal {
        EXPECTED.asBytes32().tstore(_fingerprint(caller, callback, keccak256(data)));
    }

    function _expectNothing() internal {
        EXPECTED.asBytes32().tstore(0);
    }

    /// @dev keccak256 of function and caller in one word, and of the data's hash in the next.
    function _fingerprint(address from, bytes4 callback, bytes32 dataHash) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            // A computed address may have other bits above its 20 bytes.
            mstore(0, or(callback, shr(96, shl(96, from))))
            mstore(32, dataHash)
            hash := keccak256(0, 64)
        }
    }

    /// @dev To be called first in every callback. One call is accepted for each `_expect`.
    function _takeCallback(bytes calldata data) internal {
        if (EXPECTED.asBytes32().tload() != _fingerprint(msg.sender, msg.sig, keccak256(data))) {
            revert UnexpectedCallback();
        }
        EXPECTED.asBytes32().tstore(0);
    }

    /// @dev Job and the steps still to be run, for a callback's `data`.
    function _pack(Job memory job, bytes calldata steps) internal pure returns (bytes memory data) {
        assembly ("memory-safe") {
            data := mload(0x40)
            let size := add(JOB_SIZE, steps.length)
            mstore(data, size)
            mcopy(add(data, 32), job, JOB_SIZE)
            calldatacopy(add(data, add(32, JOB_SIZE)), steps.offset, steps.length)
            mstore(0x40, add(data, and(add(size, 63), not(31))))
        }
    }

    /// @dev Runs what `_pack` packed. Only for data of a callback that was taken: it is our own.
    function _runPacked(bytes calldata data) internal returns (Job memory job) {
        bytes calldata steps;
        (job, steps) = _unpack(data);
        _run(job, steps);
    }

    function _unpack(bytes calldata data) internal pure returns (Job memory job, bytes calldata steps) {
        steps = data.skip(JOB_SIZE);
        assembly ("memory-safe") {
            calldatacopy(job, data.offset, JOB_SIZE)
        }
    }

    // ------------------------------------------------------------------------------------------------ accounts

    /// @dev Units of the collateral and of the debt token.
    function _recordLiquidation(uint256 seized, uint256 covered) internal {
        TransientSlot.Uint256Slot amounts = SEIZED_AND_COVERED.asUint256();
        if (amounts.tload() != 0) revert AlreadyLiquidated();
        amounts.tstore(_pair(seized, covered));
    }

    /// @dev Collateral units for the protocol's fee, debt token units for the lender's.
    function _recordFees(uint256 protocolFee, uint256 flashFee) internal {
        TransientSlot.Uint256Slot fees = FEES.asUint256();
        fees.tstore(fees.tload() + _pair(protocolFee, flashFee));
    }

    /// @dev Reads what was recorded, and clears it for the next liquidation of the same transaction.
    function _takeRecords() internal returns (uint256 seized, uint256 covered, uint256 protocolFee, uint256 flashFee) {
        uint256 amounts = SEIZED_AND_COVERED.asUint256().tload();
        uint256 fees = FEES.asUint256().tload();
        if (amounts != 0) SEIZED_AND_COVERED.asUint256().tstore(0);
        if (fees != 0) FEES.asUint256().tstore(0);
        return (amounts >> 128, uint128(amounts), fees >> 128, uint128(fees));
    }

    function _pair(uint256 high, uint256 low) private pure returns (uint256) {
        if ((high | low) >> 128 != 0) revert AmountTooLarge();
        return high << 128 | low;
    }

    // -------------------------------------------------------------------------------------------------- tokens

    /// @dev This contract's balance, token units. A run asks five times; Solidity's own call would cost 150 gas more.
    function _held(address token) internal view returns (uint256 amount) {
        bytes4 selector = IERC20.balanceOf.selector;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, address())
            // Yul evaluates from right to left: the call comes first. What is no contract answers nothing.
            if iszero(and(gt(returndatasize(), 31), staticcall(gas(), token, 0, 36, 0, 32))) {
                let answer := mload(0x40)
                returndatacopy(answer, 0, returndatasize())
                revert(answer, returndatasize())
            }
            amount := mload(0)
        }
    }

    /// @dev Pays what the run has to repay. A low-level call with its answer judged as SafeERC20 does (analysers:
    ///      low-level-calls), because a try on `transfer` would trip over tokens that return nothing.
    function _repay(address token, address to, uint256 owed) internal {
        bytes4 selector = IERC20.transfer.selector;
        bool sent;
        bool paid;
        bytes memory answer;
        assembly ("memory-safe") {
            answer := mload(0x40)
            mstore(answer, selector)
            mstore(add(answer, 4), to)
            mstore(add(answer, 36), owed)
            sent := call(gas(), token, 0, answer, 68, 0, 32)
            let size := returndatasize()
            paid := and(sent, or(iszero(size), and(gt(size, 31), eq(mload(0), 1))))
            if iszero(paid) {
                mstore(answer, size)
                returndatacopy(add(answer, 32), 0, size)
                mstore(0x40, add(answer, and(add(size, 63), not(31))))
            }
        }
        // The balance is only looked at when the transfer fails: most runs can pay, and every look costs.
        if (paid) return;
        uint256 held = _held(token);
        if (held < owed) revert CannotRepay(token, held, owed);
        if (sent || answer.length == 0) revert SafeERC20.SafeERC20FailedOperation(token);
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// @dev Lets a lender pull exactly what the run has to repay.
    function _approveRepayment(address token, address lender, uint256 owed) internal {
        uint256 held = _held(token);
        if (held < owed) revert CannotRepay(token, held, owed);
        IERC20(token).forceApprove(lender, owed);
    }

    /// @dev What a lender or a market has not pulled must not stay approved.
    function _dropAllowance(address token, address spender) internal {
        if (IERC20(token).allowance(address(this), spender) != 0) IERC20(token).forceApprove(spender, 0);
    }

    /// @dev Sends this contract's whole balance to the treasury; some tokens refuse to move nothing.
    function _sweep(address token) internal returns (uint256 amount) {
        amount = _held(token);
        if (amount != 0) IERC20(token).safeTransfer(treasury, amount);
    }

    /// @dev How a plan names a token: one byte, followed by an address when it is none of the usual ones.
    ///      0 the collateral, 1 the debt token, 2 wrapped native coin, 3 the address that follows.
    function _takeToken(Job memory job, uint256 ref, bytes calldata steps)
        internal
        view
        returns (address token, bytes calldata rest)
    {
        if (ref == 0) return (job.collateral, steps);
        if (ref == 1) return (job.debt, steps);
        if (ref == 2) return (weth, steps);
        return (steps.addressAt(0), steps.skip(20));
    }
}
