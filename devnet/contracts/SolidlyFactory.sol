// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {SolidlyPool} from "./SolidlyPool.sol";

/// Registry of Solidly-style pools with the functions of Aerodrome's PoolFactory that a trader needs; see SolidlyPool.
contract SolidlyFactory {
    event PoolCreated(address indexed token0, address indexed token1, bool indexed stable, address pool, uint256 count);
    event SetCustomFee(address indexed pool, uint256 fee);
    event SetPauseState(bool indexed state);

    error FeeTooHigh();
    error InvalidPool();
    error NotFeeManager();
    error NotPauser();
    error PoolAlreadyExists();
    error SameAddress();
    error ZeroAddress();
    error ZeroFee();

    /// Basis points; the most that Aerodrome's factory on Base allows.
    uint256 public constant MAX_FEE = 300;
    /// A custom fee of this much means none at all.
    uint256 public constant ZERO_FEE_INDICATOR = 420;

    /// Fees in basis points, as Aerodrome starts with; most of its larger pools have one of their own.
    uint256 public stableFee = 5;
    uint256 public volatileFee = 30;
    /// While it is, pools give quotes and refuse swaps.
    bool public isPaused;

    address public immutable feeManager = msg.sender;
    address public immutable pauser = msg.sender;
    address[] public allPools;
    mapping(address pool => bool) public isPool;
    /// Zero where the fee of the pool's kind applies.
    mapping(address pool => uint256 fee) public customFee;
    mapping(address tokenA => mapping(address tokenB => mapping(bool stable => address pool))) public getPool;

    function createPool(address tokenA, address tokenB, bool stable) external returns (address pool) {
        if (tokenA == tokenB) revert SameAddress();
        (address token0, address token1) = tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
        if (token0 == address(0)) revert ZeroAddress();
        if (getPool[token0][token1][stable] != address(0)) revert PoolAlreadyExists();
        pool = address(new SolidlyPool(token0, token1, stable));
        getPool[token0][token1][stable] = getPool[token1][token0][stable] = pool;
        isPool[pool] = true;
        allPools.push(pool);
        emit PoolCreated(token0, token1, stable, pool, allPools.length);
    }

    /// Sets the fee of all pools of a kind that have none of their own. It emits nothing, as Aerodrome's.
    /// @param fee basis points
    function setFee(bool stable, uint256 fee) external {
        if (msg.sender != feeManager) revert NotFeeManager();
        if (fee > MAX_FEE) revert FeeTooHigh();
        if (fee == 0) revert ZeroFee();
        if (stable) stableFee = fee;
        else volatileFee = fee;
    }

    /// @param fee basis points; zero returns to the fee of the pool's kind, ZERO_FEE_INDICATOR takes none
    function setCustomFee(address pool, uint256 fee) external {
        if (msg.sender != feeManager) revert NotFeeManager();
        if (fee > MAX_FEE && fee != ZERO_FEE_INDICATOR) revert FeeTooHigh();
        if (!isPool[pool]) revert InvalidPool();
        customFee[pool] = fee;
        emit SetCustomFee(pool, fee);
    }

    function setPauseState(bool state) external {
        if (msg.sender != pauser) revert NotPauser();
        isPaused = state;
        emit SetPauseState(state);
    }

    /// @return basis points of the input
    function getFee(address pool, bool stable) external view returns (uint256) {
        uint256 custom = customFee[pool];
        if (custom == ZERO_FEE_INDICATOR) return 0;
        if (custom != 0) return custom;
        return stable ? stableFee : volatileFee;
    }

    function allPoolsLength() external view returns (uint256) {
        return allPools.length;
    }
}
