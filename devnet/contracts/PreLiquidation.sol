// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

struct MarketParams {
    address loanToken;
    address collateralToken;
    address oracle;
    address irm;
    uint256 lltv;
}

/// Limits and factors of a pre-liquidation contract. All are wad.
struct PreLiquidationParams {
    uint256 preLltv;
    uint256 preLCF1;
    uint256 preLCF2;
    uint256 preLIF1;
    uint256 preLIF2;
    address preLiquidationOracle;
}

interface IMorphoBlue {
    function idToMarketParams(bytes32 id) external view returns (MarketParams memory);
    function market(bytes32 id) external view returns (uint128, uint128, uint128, uint128, uint128, uint128);
    function position(bytes32 id, address user) external view returns (uint256, uint128, uint128);
    function accrueInterest(MarketParams memory params) external;
    function repay(MarketParams memory params, uint256 assets, uint256 shares, address onBehalf, bytes memory data)
        external
        returns (uint256, uint256);
    function withdrawCollateral(MarketParams memory params, uint256 assets, address onBehalf, address receiver) external;
}

interface IPrice {
    function price() external view returns (uint256);
}

/// Stands in for Morpho's pre-liquidation contract: the same checks, the same arithmetic, the same way of the money, without a
/// callback of the liquidator.
contract PreLiquidation {
    uint256 private constant WAD = 1e18;
    uint256 private constant PRICE_SCALE = 1e36;

    IMorphoBlue public immutable MORPHO;
    bytes32 public immutable ID;
    MarketParams private _market;
    PreLiquidationParams private _params;

    event PreLiquidate(
        bytes32 indexed id,
        address indexed liquidator,
        address indexed borrower,
        uint256 repaidAssets,
        uint256 repaidShares,
        uint256 seizedAssets
    );

    error Refused(string why);

    constructor(IMorphoBlue morpho, bytes32 id, PreLiquidationParams memory params) {
        MarketParams memory market = morpho.idToMarketParams(id);
        _require(market.loanToken != address(0), "no such market");
        _require(params.preLltv < market.lltv, "preLltv too high");
        _require(params.preLCF1 <= params.preLCF2, "close factor decreases");
        _require(params.preLCF1 <= WAD, "close factor too high");
        _require(WAD <= params.preLIF1, "incentive too low");
        _require(params.preLIF1 <= params.preLIF2, "incentive decreases");
        _require(params.preLIF2 <= WAD * WAD / market.lltv, "incentive too high");
        (MORPHO, ID, _market, _params) = (morpho, id, market, params);
        IERC20(market.loanToken).approve(address(morpho), type(uint256).max);
    }

    /// @return ltv of a position that is between the two limits, rounded up, and the incentive and close factor there, all wad.
    function factors(
        uint256 collateral,
        uint256 borrowShares,
        uint256 totalBorrowAssets,
        uint256 totalBorrowShares,
        uint256 price
    ) public view returns (uint256 ltv, uint256 incentive, uint256 closeFactor) {
        uint256 quoted = collateral * price / PRICE_SCALE;
        uint256 borrowed = _up(borrowShares * (totalBorrowAssets + 1), totalBorrowShares + 1e6);
        _require(borrowed <= quoted * _market.lltv / WAD, "liquidatable");
        _require(borrowed > quoted * _params.preLltv / WAD, "not pre-liquidatable");
        ltv = _up(borrowed * WAD, quoted);
        uint256 quotient = (ltv - _params.preLltv) * WAD / (_market.lltv - _params.preLltv);
        incentive = quotient * (_params.preLIF2 - _params.preLIF1) / WAD + _params.preLIF1;
        closeFactor = quotient * (_params.preLCF2 - _params.preLCF1) / WAD + _params.preLCF1;
    }

    /// @return seized collateral for these shares, or given; @return repaid shares for this collateral, or given.
    function exchanged(
        uint256 seized,
        uint256 repaid,
        uint256 totalBorrowAssets,
        uint256 totalBorrowShares,
        uint256 price,
        uint256 incentive
    ) public pure returns (uint256, uint256) {
        if (seized > 0) {
            uint256 quoted = _up(seized * price, PRICE_SCALE);
            repaid = _up(_up(quoted * WAD, incentive) * (totalBorrowShares + 1e6), totalBorrowAssets + 1);
        } else {
            uint256 assets = repaid * (totalBorrowAssets + 1) / (totalBorrowShares + 1e6);
            seized = (assets * incentive / WAD) * PRICE_SCALE / price;
        }
        return (seized, repaid);
    }

    /// One of the two amounts is 0.
    function preLiquidate(address borrower, uint256 seized, uint256 repaid) external {
        _require((seized == 0) != (repaid == 0), "one amount is expected");
        MORPHO.accrueInterest(_market);
        (seized, repaid) = _checked(borrower, seized, repaid);
        bytes memory data = abi.encode(seized, borrower, msg.sender);
        (uint256 paid,) = MORPHO.repay(_market, 0, repaid, borrower, data);
        emit PreLiquidate(ID, msg.sender, borrower, paid, repaid, seized);
    }

    function onMorphoRepay(uint256 repaidAssets, bytes calldata data) external {
        _require(msg.sender == address(MORPHO), "not Morpho");
        (uint256 seized, address borrower, address liquidator) = abi.decode(data, (uint256, address, address));
        MORPHO.withdrawCollateral(_market, seized, borrower, liquidator);
        IERC20(_market.loanToken).transferFrom(liquidator, address(this), repaidAssets);
    }

    function _checked(address borrower, uint256 seized, uint256 repaid) private view returns (uint256, uint256) {
        (,, uint256 assets, uint256 shares,,) = MORPHO.market(ID);
        (, uint256 borrowShares, uint256 collateral) = MORPHO.position(ID, borrower);
        uint256 price = IPrice(_params.preLiquidationOracle).price();
        (, uint256 incentive, uint256 closeFactor) = factors(collateral, borrowShares, assets, shares, price);
        (seized, repaid) = exchanged(seized, repaid, assets, shares, price, incentive);
        _require(repaid <= borrowShares * closeFactor / WAD, "too large");
        return (seized, repaid);
    }

    /// Rounded up.
    function _up(uint256 a, uint256 b) private pure returns (uint256) {
        return (a + b - 1) / b;
    }

    function _require(bool holds, string memory why) private pure {
        if (!holds) revert Refused(why);
    }
}
