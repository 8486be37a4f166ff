// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @dev Alone in a contract so that it shares a storage slot with Pausable's flag: every liquidation reads both.
abstract contract Treasury {
    /// @notice Where profit and everything rescued goes.
    address public treasury;
}

/// @title Who may do what, and whom Chimera may call
/// @notice The owner (a Safe) appoints executors, lists counterparties and sets the treasury. Executors liquidate and
///         may pause; only the owner unpauses.
abstract contract Roles is Treasury, Pausable, Ownable2Step {
    using SafeERC20 for IERC20;

    /// @notice How a contract is spoken to. `None` is never called.
    /// @param AaveV3 Pool of Aave v3 or a fork: market and flash lender.
    /// @param CompoundV2 Comptroller of Compound v2 or a fork such as Moonwell: vouches for its mTokens.
    /// @param MorphoBlue Market and flash lender.
    /// @param BalancerV2 Vault, flash lender.
    /// @param BalancerV3 Vault, flash lender.
    /// @param Slipstream Factory of Aerodrome's concentrated pools, which swap as Uniswap v3's do.
    /// @param Solidly Factory of Aerodrome v2's pools.
    /// @param PancakeV3 Factory of Pancake v3's pools, which swap as Uniswap v3's do, but call back by another name.
    /// @param Erc4626 Vault whose shares are redeemed.
    /// @param Unwrapper Token that is unwrapped as wstETH is.
    enum Kind {
        None,
        AaveV3,
        CompoundV2,
        MorphoBlue,
        BalancerV2,
        BalancerV3,
        Slipstream,
        Solidly,
        PancakeV3,
        Erc4626,
        Unwrapper
    }

    event ExecutorSet(address indexed executor, bool allowed);
    event CounterpartySet(address indexed counterparty, Kind kind);
    event TreasurySet(address indexed treasury);
    /// @param token Zero for the chain's native coin.
    event Rescued(address indexed token, uint256 amount);

    error ZeroAddress();
    error NotExecutor(address caller);
    /// @dev Chimera as its own treasury would count gifts as profit.
    error OwnTreasury();
    error NativeTransferFailed();
    error RenounceDisabled();

    /// @notice Accounts that may liquidate and pause.
    mapping(address account => bool) public isExecutor;

    /// @notice Contracts that a plan may name, and how they are spoken to.
    mapping(address counterparty => Kind) public kindOf;

    modifier onlyExecutor() {
        if (!isExecutor[msg.sender]) revert NotExecutor(msg.sender);
        _;
    }

    constructor(address initialOwner, address initialTreasury) Ownable(initialOwner) {
        _setTreasury(initialTreasury);
    }

    function setExecutor(address executor, bool allowed) external onlyOwner {
        isExecutor[executor] = allowed;
        emit ExecutorSet(executor, allowed);
    }

    /// @notice Lists a market, a lender or a pool factory. `Kind.None` strikes it off.
    function setCounterparty(address counterparty, Kind kind) external onlyOwner {
        kindOf[counterparty] = kind;
        emit CounterpartySet(counterparty, kind);
    }

    function setTreasury(address newTreasury) external onlyOwner {
        _setTreasury(newTreasury);
    }

    /// @notice Stops liquidations. Any executor may, so that the bot can pull the brake by itself.
    function pause() external {
        if (!isExecutor[msg.sender]) _checkOwner();
        _pause();
    }

    function unpause() external onlyOwner {
        _unpause();
    }

    /// @notice Sends this contract's whole balance of a token to the treasury.
    function rescue(IERC20 token) external onlyOwner {
        uint256 amount = token.balanceOf(address(this));
        token.safeTransfer(treasury, amount);
        emit Rescued(address(token), amount);
    }

    /// @notice Sends native coin to the treasury. None is accepted outside a run, but it can be forced upon any contract.
    function rescueNative() external onlyOwner {
        uint256 amount = address(this).balance;
        _sendNative(treasury, amount, gasleft());
        emit Rescued(address(0), amount);
    }

    /// @notice Always reverts: without an owner nothing could be unpaused or rescued.
    function renounceOwnership() public pure override {
        revert RenounceDisabled();
    }

    /// @dev A plain call would copy whatever the receiver returns into memory, at our gas.
    function _sendNative(address to, uint256 amountWei, uint256 gasLimit) internal {
        bool sent;
        assembly ("memory-safe") {
            sent := call(gasLimit, to, amountWei, 0, 0, 0, 0)
        }
        if (!sent) revert NativeTransferFailed();
    }

    function _setTreasury(address newTreasury) private {
        if (newTreasury == address(0)) revert ZeroAddress();
        if (newTreasury == address(this)) revert OwnTreasury();
        treasury = newTreasury;
        emit TreasurySet(newTreasury);
    }
}
