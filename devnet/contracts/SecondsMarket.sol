// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IBlockMarket {
    function accrualBlockNumber() external view returns (uint256);
    function borrowRatePerBlock() external view returns (uint256);
}

/// Behind Compound's proxy of a market: it gives Moonwell's names to what counts seconds, and leaves the rest to Compound's
/// own code, in which the block number was replaced by the time (devnet/artifacts/counting-seconds.ts).
contract SecondsMarket {
    address private immutable logic;

    constructor(address logic_) {
        logic = logic_;
    }

    /// Runs in the proxy: address(this) is the market.
    function accrualBlockTimestamp() external view returns (uint256) {
        return IBlockMarket(address(this)).accrualBlockNumber();
    }

    function borrowRatePerTimestamp() external view returns (uint256) {
        return IBlockMarket(address(this)).borrowRatePerBlock();
    }

    fallback() external payable {
        address target = logic;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
