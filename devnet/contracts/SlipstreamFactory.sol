// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface ITieredFactory {
    function feeAmountTickSpacing(uint24 fee) external view returns (int24);

    function getPool(address tokenA, address tokenB, uint24 fee) external view returns (address);

    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address pool);
}

interface ISwapFeeModule {
    function getFee(address pool) external view returns (uint24);
}

interface ITickSpacing {
    function tickSpacing() external view returns (int24);
}

/// Stands in for the CLFactory of Aerodrome Slipstream, which is not on npm: it knows pools by tick spacing. The pools
/// are real Uniswap v3 pools of an inner factory; Slipstream's descend from them, with the same `swap` and the same
/// `uniswapV3SwapCallback`. A Slipstream pool differs in that it asks the factory for its fee, and its `slot0()` returns
/// only six words: it lacks `feeProtocol`. Devnet.askFactoryForFee makes a pool ask for its fee here too.
contract SlipstreamFactory {
    event TickSpacingEnabled(int24 indexed tickSpacing, uint24 indexed fee);
    event SwapFeeModuleChanged(address indexed oldFeeModule, address indexed newFeeModule);
    event PoolCreated(address indexed token0, address indexed token1, int24 indexed tickSpacing, address pool);

    error PoolAlreadyExists();
    /// @dev The inner factory has no such tier, or the tier has another spacing.
    error TierMismatch(int24 tickSpacing, uint24 fee);
    error UnknownTickSpacing(int24 tickSpacing);

    /// @dev A module that says more than this is not believed: 10 %.
    uint24 private constant MOST_FEE = 100_000;

    /// Says what each pool charges; none: the fee of its tick spacing.
    address public swapFeeModule;
    /// The real Uniswap v3 factory behind this one. A contract that lists it too takes its pools for Uniswap's.
    ITieredFactory public immutable inner;
    /// Fee tier in hundredths of a basis point; zero for a spacing that is not enabled.
    mapping(int24 tickSpacing => uint24 fee) public tickSpacingToFee;
    mapping(address tokenA => mapping(address tokenB => mapping(int24 tickSpacing => address pool))) public getPool;
    mapping(address pool => bool) public isPool;

    /// Starts with the tiers every Uniswap v3 factory is born with: 500, 3000 and 10000 at spacings 10, 60 and 200.
    constructor(ITieredFactory inner_) {
        inner = inner_;
        uint24[3] memory tiers = [uint24(500), 3000, 10_000];
        for (uint256 i = 0; i < tiers.length; i++) {
            enableTickSpacing(inner_.feeAmountTickSpacing(tiers[i]), tiers[i]);
        }
    }

    /// Offers one more tier of the inner factory, whose owner has enabled it there, or another fee for a spacing.
    function enableTickSpacing(int24 tickSpacing, uint24 fee) public {
        if (tickSpacing == 0 || inner.feeAmountTickSpacing(fee) != tickSpacing) revert TierMismatch(tickSpacing, fee);
        tickSpacingToFee[tickSpacing] = fee;
        emit TickSpacingEnabled(tickSpacing, fee);
    }

    function setSwapFeeModule(address module) external {
        emit SwapFeeModuleChanged(swapFeeModule, module);
        swapFeeModule = module;
    }

    /// Hundredths of a basis point: what the module says, or the fee of the tick spacing where it reverts or says too
    /// much.
    function getSwapFee(address pool) public view returns (uint24) {
        if (swapFeeModule != address(0)) {
            (bool done, bytes memory data) = swapFeeModule.staticcall(abi.encodeCall(ISwapFeeModule.getFee, (pool)));
            if (done && data.length >= 32) {
                uint256 fee = abi.decode(data, (uint256));
                if (fee <= MOST_FEE) return uint24(fee);
            }
        }
        return tickSpacingToFee[ITickSpacing(pool).tickSpacing()];
    }

    /// What a pool asks whose code has room for no more: see Devnet.askFactoryForFee.
    fallback(bytes calldata) external returns (bytes memory) {
        return abi.encode(getSwapFee(msg.sender));
    }

    /// Lists the inner factory's pool of the spacing's tier, and creates it first when there is none. Unlike
    /// Slipstream's, it takes no price: the pool is to be initialized like any Uniswap pool.
    function createPool(address tokenA, address tokenB, int24 tickSpacing) external returns (address pool) {
        uint24 fee = tickSpacingToFee[tickSpacing];
        if (fee == 0) revert UnknownTickSpacing(tickSpacing);
        if (getPool[tokenA][tokenB][tickSpacing] != address(0)) revert PoolAlreadyExists();
        pool = inner.getPool(tokenA, tokenB, fee);
        if (pool == address(0)) pool = inner.createPool(tokenA, tokenB, fee);
        getPool[tokenA][tokenB][tickSpacing] = getPool[tokenB][tokenA][tickSpacing] = pool;
        isPool[pool] = true;
        (address token0, address token1) = tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
        emit PoolCreated(token0, token1, tickSpacing, pool);
    }
}
