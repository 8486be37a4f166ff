// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Chimera} from "../src/Chimera.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Audit} from "./fixtures/Audit.sol";
import {IMorphoFull, MorphoMarket} from "./fixtures/MorphoMarket.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Morpho Blue: 17,000 USDC against 10 WETH, liquidatable below 1,976 USD (17,000 / (10 * 0.86)), at 1,800.
contract ChimeraMorphoTest is Audit {
    uint256 private constant LLTV = 0.86e18;
    /// @dev Morpho's liquidation incentive at that LLTV: min(1.15, 1 / (1 - 0.3 * 0.14)), in integers.
    uint256 private constant INCENTIVE = 1043841336116910229;
    uint256 private constant SEIZED = 4e18;
    /// @dev Owed for that: 4 * 1,800 / 1.0438, rounded up.
    uint256 private immutable repaid = Math.ceilDiv(7_200e6 * 1e18, INCENTIVE);

    MorphoMarket private blue;
    address private morpho;
    IMorphoFull.MarketParams private params;

    function setUp() public override {
        super.setUp();
        _setWethPrice(LOW_WETH_PRICE);
        blue = new MorphoMarket();
        morpho = address(blue.morpho());
        params = blue.create(weth, WETH_PRICE, usdc, USDC_PRICE, LLTV);
        blue.supply(lender, params, 1_000_000e6);
        blue.supplyCollateral(borrower, params, 10e18);
        blue.borrow(borrower, params, 17_000e6);
        blue.setPrices(params, LOW_WETH_PRICE, USDC_PRICE);
        _list(morpho, Roles.Kind.MorphoBlue);
    }

    function _morphoJob(bytes memory steps) private view returns (Liquidation memory job) {
        job = _job(steps);
        job.market = morpho;
    }

    function _liquidate(uint8 flags, uint256 amount) private view returns (bytes memory) {
        return Plans.liquidateMorpho(params.oracle, params.irm, params.lltv, flags, amount);
    }

    function _sell(uint256 shareBps) private pure returns (bytes memory) {
        return Plans.sell(shareBps, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE));
    }

    function _buy(uint256 amount) private pure returns (bytes memory) {
        return Plans.buy(amount, Plans.uniswap(Plans.COLLATERAL, FEE));
    }

    function _collateralLeft() private view returns (uint256) {
        (,, uint128 collateral) = IMorphoFull(morpho).position(blue.id(params), borrower);
        return collateral;
    }

    function _borrowShares() private view returns (uint256) {
        (, uint128 shares,) = IMorphoFull(morpho).position(blue.id(params), borrower);
        return shares;
    }

    // ------------------------------------------------------------------------- collateral first, by the callback

    function test_morpho_by_collateral_pays_from_the_sale() public {
        Liquidation memory job = _morphoJob(bytes.concat(_liquidate(Plans.CALLBACK, SEIZED), _sell(10_000)));
        job.flags = Plans.PROFIT_IN_DEBT;
        uint256 proceeds = _worthOf(pool, address(weth), SEIZED);

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(outcome.collateralSeized, SEIZED, "seized");
        vm.assertEq(outcome.debtCovered, repaid, "debt covered");
        vm.assertEq(outcome.swapOutput, proceeds, "swap output");
        vm.assertEq(outcome.profit, proceeds - repaid, "profit");
        vm.assertEq(_collateralLeft(), 10e18 - SEIZED, "collateral left");
    }

    function test_morpho_by_shares_pays_from_the_sale() public {
        uint256 shares = _borrowShares() / 2;
        Liquidation memory job =
            _morphoJob(bytes.concat(_liquidate(Plans.CALLBACK | Plans.SHARES, shares), _sell(10_000)));
        job.flags = Plans.PROFIT_IN_DEBT;

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(outcome.debtCovered, 8_500e6, "half of the debt");
        vm.assertEq(_borrowShares(), shares, "shares left");
        // Of 8,500 USDC at 1,800, with the incentive; Morpho's virtual shares take less than a millionth of a unit.
        vm.assertEq(outcome.collateralSeized / 1e9, 8_500 * INCENTIVE / 1_800 / 1e9, "seized");
    }

    /// @dev Exactly what is owed is bought in the callback, from what has been seized: all the rest is profit.
    function test_morpho_pays_from_a_flash_swap_within_the_callback() public {
        uint256 cost = _costOf(pool, address(usdc), repaid);

        Chimera.Outcome memory outcome =
            _audited(_morphoJob(bytes.concat(_liquidate(Plans.CALLBACK, SEIZED), _buy(repaid))));

        vm.assertEq(outcome.profit, SEIZED - cost, "profit");
    }

    function test_the_profit_of_a_callback_may_stay_in_the_collateral() public {
        uint256 sold = SEIZED * 9_700 / 10_000;
        uint256 proceeds = _worthOf(pool, address(weth), sold);

        Chimera.Outcome memory outcome =
            _audited(_morphoJob(bytes.concat(_liquidate(Plans.CALLBACK, SEIZED), _sell(9_700))));

        vm.assertEq(outcome.profit, SEIZED - sold, "profit");
        vm.assertEq(usdc.balanceOf(treasury), proceeds - repaid, "debt token on top");
    }

    function test_a_sale_in_the_callback_that_brings_too_little() public {
        uint256 proceeds = _worthOf(pool, address(weth), SEIZED * 9_000 / 10_000);

        _runReverts(
            _morphoJob(bytes.concat(_liquidate(Plans.CALLBACK, SEIZED), _sell(9_000))),
            abi.encodeWithSelector(Program.CannotRepay.selector, usdc, proceeds, repaid)
        );
        _runReverts(
            _morphoJob(_liquidate(Plans.CALLBACK, SEIZED)),
            abi.encodeWithSelector(Program.CannotRepay.selector, usdc, 0, repaid)
        );
    }

    function test_a_second_liquidation_within_the_callback() public {
        bytes memory steps =
            bytes.concat(_liquidate(Plans.CALLBACK, SEIZED), _liquidate(Plans.CALLBACK, SEIZED / 4), _sell(10_000));

        _runReverts(_morphoJob(steps), Program.AlreadyLiquidated.selector);
    }

    // -------------------------------------------------------------------------------- debt first, no callback

    function test_morpho_by_collateral_after_a_flash_swap() public {
        uint256 cost = _costOf(pool, address(usdc), repaid);

        Chimera.Outcome memory outcome = _audited(_morphoJob(bytes.concat(_buy(repaid), _liquidate(0, SEIZED))));

        vm.assertEq(outcome.debtCovered, repaid, "debt covered");
        vm.assertEq(outcome.profit, SEIZED - cost, "profit");
    }

    function test_morpho_by_shares_after_a_flash_swap() public {
        uint256 shares = _borrowShares() / 2;

        Chimera.Outcome memory outcome =
            _audited(_morphoJob(bytes.concat(_buy(8_500e6), _liquidate(Plans.SHARES, shares))));

        vm.assertEq(outcome.debtCovered, 8_500e6, "debt covered");
        vm.assertEq(_borrowShares(), shares, "shares left");
    }

    /// @dev The audit looks at the allowance.
    function test_what_morpho_does_not_take_goes_to_the_treasury() public {
        Chimera.Outcome memory outcome = _audited(_morphoJob(bytes.concat(_buy(repaid + 55e6), _liquidate(0, SEIZED))));

        vm.assertEq(outcome.debtCovered, repaid, "debt covered");
        vm.assertEq(outcome.swapOutput, repaid + 55e6, "swap output");
        vm.assertEq(usdc.balanceOf(treasury), 55e6, "debt token on top");
    }

    function test_morpho_lends_what_it_then_takes() public {
        Liquidation memory job =
            _morphoJob(bytes.concat(Plans.loan(morpho, 8_000e6), _liquidate(0, SEIZED), _sell(10_000)));
        job.flags = Plans.PROFIT_IN_DEBT;
        uint256 proceeds = _worthOf(pool, address(weth), SEIZED);

        vm.assertEq(_audited(job).profit, proceeds - repaid, "profit");
    }

    function test_a_loan_around_a_callback() public {
        Liquidation memory job =
            _morphoJob(bytes.concat(Plans.loan(morpho, 1_000e6), _liquidate(Plans.CALLBACK, SEIZED), _sell(10_000)));
        job.flags = Plans.PROFIT_IN_DEBT;
        uint256 proceeds = _worthOf(pool, address(weth), SEIZED);

        vm.assertEq(_audited(job).profit, proceeds - repaid, "profit");
    }

    function test_too_little_offered() public {
        _runReverts(_morphoJob(bytes.concat(_buy(repaid - 1), _liquidate(0, SEIZED))), bytes("transferFrom reverted"));
    }

    // ------------------------------------------------------------------------------------------------- refusals

    function test_a_healthy_position() public {
        blue.setPrices(params, WETH_PRICE, USDC_PRICE);

        _runReverts(
            _morphoJob(bytes.concat(_liquidate(Plans.CALLBACK, SEIZED), _sell(10_000))), bytes("position is healthy")
        );
        _runReverts(_morphoJob(bytes.concat(_buy(repaid), _liquidate(0, SEIZED))), bytes("position is healthy"));
    }

    function test_a_market_that_was_never_created() public {
        bytes memory liquidation = Plans.liquidateMorpho(stranger, params.irm, params.lltv, Plans.CALLBACK, SEIZED);

        _runReverts(_morphoJob(bytes.concat(liquidation, _sell(10_000))), bytes("market not created"));
    }

    function test_no_amount() public {
        bytes memory steps = bytes.concat(_liquidate(Plans.CALLBACK, 0), _sell(10_000));

        _runReverts(_morphoJob(steps), bytes("inconsistent input"));
    }

    /// @dev Morpho calls whoever liquidates, and nobody else; this contract answers to its own liquidations only.
    function test_the_callback_answers_to_nobody_outside_a_run() public {
        address[3] memory callers = [morpho, executor, stranger];
        for (uint256 i; i < callers.length; ++i) {
            vm.expectRevert(Program.UnexpectedCallback.selector);
            vm.prank(callers[i]);
            chimera.onMorphoLiquidate(1, "");
        }
    }
}
