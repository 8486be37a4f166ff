// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// Stands in for Slipstream's dynamic swap-fee module: a base fee and a part that moves, capped, less a discount for
/// some senders of transactions. The real module's moving part follows the distance of the price from its average. Here
/// it falls with time. As there, it changes without any event.
contract DynamicFeeModule {
    event CustomFeeSet(address indexed pool, uint24 fee);
    event DiscountedRegistered(address indexed discountee, uint24 discount);

    /// @param perSecond how much of it is gone after each second
    struct Surge {
        uint256 fee;
        uint256 perSecond;
        uint256 since;
    }

    uint256 private constant MOST_FEE = 50_000;
    uint256 private constant WHOLE = 1_000_000;

    /// Hundredths of a basis point.
    mapping(address pool => uint24 fee) public customFee;
    /// Millionths of the fee.
    mapping(address origin => uint24 discount) public discounted;
    mapping(address pool => Surge) private surges;

    function setCustomFee(address pool, uint24 fee) external {
        customFee[pool] = fee;
        emit CustomFeeSet(pool, fee);
    }

    function registerDiscounted(address origin, uint24 discount) external {
        discounted[origin] = discount;
        emit DiscountedRegistered(origin, discount);
    }

    /// As a move of the price does.
    function surge(address pool, uint256 fee, uint256 perSecond) external {
        surges[pool] = Surge(fee, perSecond, block.timestamp);
    }

    function getFee(address pool) external view returns (uint24) {
        Surge memory one = surges[pool];
        uint256 gone = (block.timestamp - one.since) * one.perSecond;
        uint256 fee = customFee[pool] + (gone < one.fee ? one.fee - gone : 0);
        if (fee > MOST_FEE) fee = MOST_FEE;
        // solhint-disable-next-line avoid-tx-origin
        return uint24(fee * (WHOLE - discounted[tx.origin]) / WHOLE);
    }
}
