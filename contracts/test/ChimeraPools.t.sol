// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {SolidlyPool} from "../../devnet/contracts/SolidlyPool.sol";
import {Chimera} from "../src/Chimera.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Swaps} from "../src/Swaps.sol";
import {Aerodrome} from "./fixtures/Aerodrome.sol";
import {IUniswapV3PoolFull} from "./fixtures/Dex.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {RouteFixture} from "./fixtures/RouteFixture.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Aerodrome's pools in every place they can take, and pools that are not there.
contract ChimeraPoolsTest is RouteFixture {
    // ----------------------------------------------------------------------------------------------- slipstream

    function _openSlipstream() private returns (IUniswapV3PoolFull) {
        return aerodrome.openSlipstream(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, 60, 10_000e18);
    }

    function test_slipstream_takes_part_in_a_flash_swap_alone() public {
        uint256 cost = _costOf(_openSlipstream(), address(usdc), HALF_DEBT);
        bytes memory key = Plans.listed(slipstream, Plans.COLLATERAL, 60);

        Chimera.Outcome memory outcome = _audited(_job(bytes.concat(_buyDebt(key), Plans.liquidate())));

        vm.assertEq(outcome.profit, seized - cost, "profit");
    }

    function test_slipstream_is_the_near_hop_and_uniswap_the_far_one() public {
        (, Liquidation memory job, IUniswapV3PoolFull far) = _exotic();
        uint256 cost = _costOf(far, address(weth), _costOf(_openSlipstream(), address(usdc), HALF_DEBT));
        job.steps = bytes.concat(
            _buyDebt(Plans.listed(slipstream, Plans.NATIVE, 60)),
            Plans.buyOn(Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.liquidate()
        );

        vm.assertEq(_audited(job).profit, seized - cost, "profit");
    }

    function test_uniswap_is_the_near_hop_and_slipstream_the_far_one() public {
        (TestToken collateral, Liquidation memory job,) = _exotic();
        IUniswapV3PoolFull far =
            aerodrome.openSlipstream(collateral, LOW_WETH_PRICE, weth, LOW_WETH_PRICE, 10, 10_000e18);
        uint256 cost = _costOf(far, address(weth), _costOf(pool, address(usdc), HALF_DEBT));
        job.steps = bytes.concat(
            _buyDebt(Plans.uniswap(address(weth), FEE)),
            Plans.buyOn(Plans.listed(slipstream, Plans.COLLATERAL, 10)),
            Plans.liquidate()
        );

        vm.assertEq(_audited(job).profit, seized - cost, "profit");
    }

    function test_slipstream_buys_the_collateral() public {
        uint256 proceeds = _worthOf(_openSlipstream(), address(weth), seized);

        Chimera.Outcome memory outcome =
            _audited(_loanAndSell(_sellAll(Plans.listed(slipstream, Plans.COLLATERAL, 60))));

        vm.assertEq(outcome.profit, proceeds - HALF_DEBT, "profit");
    }

    // -------------------------------------------------------------------------------------------------- solidly

    /// @dev What a pool of x * y gives after a fee of 30 basis points.
    function _volatileOutput(uint256 amountIn, uint256 reserveIn, uint256 reserveOut) private pure returns (uint256) {
        amountIn -= amountIn * 30 / 10_000;
        return amountIn * reserveOut / (reserveIn + amountIn);
    }

    function _sellToVolatile(TestToken collateral, TestToken debt) private {
        Liquidation memory job = _distressed(collateral, debt);
        aerodrome.open(collateral, 10_000e18, debt, 18_000_000e18, false);
        job.flags = Plans.PROFIT_IN_DEBT;
        bytes memory sale = _sellAll(Plans.listed(solidly, Plans.COLLATERAL, 0));
        job.steps = bytes.concat(Plans.loan(address(aave), 7_500e18), Plans.liquidate(), sale);

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(outcome.profit, _volatileOutput(seized, 10_000e18, 18_000_000e18) - 7_500e18, "profit");
    }

    function test_solidly_volatile_buys_the_lower_token() public {
        (TestToken lower, TestToken higher) = _sorted();
        _sellToVolatile(lower, higher);
    }

    function test_solidly_volatile_buys_the_higher_token() public {
        (TestToken lower, TestToken higher) = _sorted();
        _sellToVolatile(higher, lower);
    }

    /// @dev The debt is DAI: collateral to USDC at Uniswap, USDC to DAI on Solidly's stable curve.
    function test_a_sale_over_two_hops_ends_on_the_stable_curve() public {
        Liquidation memory job = _distressed(new TestToken("cbETH", 18), dai);
        IUniswapV3PoolFull first =
            dex.open(TestToken(job.collateral), LOW_WETH_PRICE, usdc, USDC_PRICE, FEE_TIER, 10_000e18);
        SolidlyPool second = aerodrome.open(usdc, 1_000_000e6, dai, 1_000_000e18, true);
        uint256 proceeds = _worthOf(first, job.collateral, seized);
        uint256 expected = second.getAmountOut(proceeds, address(usdc));
        job.flags = Plans.PROFIT_IN_DEBT;
        job.steps = bytes.concat(
            Plans.loan(address(aave), 7_500e18),
            Plans.liquidate(),
            Plans.sell(10_000, Plans.token(address(usdc)), Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.sellOn(Plans.token(Plans.DEBT), Plans.listed(solidly, Plans.COLLATERAL, 1))
        );

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(outcome.swapOutput, expected, "swap output");
        vm.assertEq(outcome.profit, expected - 7_500e18, "profit");
    }

    function test_nothing_can_be_bought_from_solidly() public {
        aerodrome.open(weth, 10_000e18, usdc, 18_000_000e6, false);
        bytes memory key = Plans.listed(solidly, Plans.COLLATERAL, 0);
        bytes memory error = abi.encodeWithSelector(Swaps.CannotBuyFrom.selector, solidly);

        _runReverts(_job(bytes.concat(_buyDebt(key), Plans.liquidate())), error);
        // As the far hop it fails within the near pool's callback.
        bytes memory steps =
            bytes.concat(_buyDebt(Plans.uniswap(address(weth), FEE)), Plans.buyOn(key), Plans.liquidate());
        _runReverts(_job(steps), error);
    }

    // --------------------------------------------------------------------------------- pools that are not there

    function _noPool(bytes memory key, uint256 parameter) private {
        bytes memory error = abi.encodeWithSelector(Swaps.NoPool.selector, weth, usdc, parameter);
        _runReverts(_loanAndSell(_sellAll(key)), error);
    }

    function test_a_fee_tier_without_a_pool() public {
        bytes memory key = Plans.uniswap(Plans.COLLATERAL, 100);

        _noPool(key, 100);
        bytes memory error = abi.encodeWithSelector(Swaps.NoPool.selector, weth, usdc, 100);
        _runReverts(_job(bytes.concat(_buyDebt(key), Plans.liquidate())), error);
    }

    function test_a_tick_spacing_without_a_pool() public {
        _openSlipstream();
        bytes memory key = Plans.listed(slipstream, Plans.COLLATERAL, 200);

        _noPool(key, 200);
        bytes memory error = abi.encodeWithSelector(Swaps.NoPool.selector, weth, usdc, 200);
        _runReverts(_job(bytes.concat(_buyDebt(key), Plans.liquidate())), error);
    }

    function test_a_solidly_curve_without_a_pool() public {
        aerodrome.open(weth, 10_000e18, usdc, 18_000_000e6, false);

        _noPool(Plans.listed(solidly, Plans.COLLATERAL, 1), 1);
    }

    function test_a_token_is_no_pool_with_itself() public {
        bytes memory error = abi.encodeWithSelector(Swaps.NoPool.selector, usdc, usdc, FEE);

        _runReverts(_job(bytes.concat(_buyDebt(Plans.uniswap(Plans.DEBT, FEE)), Plans.liquidate())), error);
    }

    function _refusesFactory(address factory) private {
        bytes memory error = abi.encodeWithSelector(Program.UnknownCounterparty.selector, factory);
        bytes memory key = Plans.listed(factory, Plans.COLLATERAL, 60);

        _runReverts(_job(bytes.concat(_buyDebt(key), Plans.liquidate())), error);
        _runReverts(_loanAndSell(_sellAll(key)), error);
    }

    function test_a_factory_that_is_not_listed() public {
        Aerodrome other = new Aerodrome();
        other.openSlipstream(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, 60, 10_000e18);
        _refusesFactory(address(other.slipstream()));
        // Listed, but no factory.
        _refusesFactory(address(aave));

        _openSlipstream();
        _list(slipstream, Roles.Kind.None);
        _refusesFactory(slipstream);
    }
}
