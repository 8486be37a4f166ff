// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Swaps} from "../src/Swaps.sol";
import {IUniswapV3PoolFull} from "./fixtures/Dex.sol";
import {Pancake} from "./fixtures/Pancake.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {RouteFixture} from "./fixtures/RouteFixture.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Real pools of Pancake v3 in every place that Uniswap's can take.
contract ChimeraPancakeTest is RouteFixture {
    uint24 private constant PANCAKE_FEE = 2500;

    Pancake private pancake;
    address private factory;

    function setUp() public override {
        super.setUp();
        pancake = new Pancake();
        factory = address(pancake.factory());
        _list(factory, Roles.Kind.PancakeV3);
    }

    function _open() private returns (IUniswapV3PoolFull) {
        return pancake.open(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, PANCAKE_FEE, 10_000e18);
    }

    function _key(uint8 tokenIn) private view returns (bytes memory) {
        return Plans.listed(factory, tokenIn, PANCAKE_FEE);
    }

    function test_pancake_takes_part_in_a_flash_swap_alone() public {
        uint256 cost = _costOf(_open(), address(usdc), HALF_DEBT);

        uint256 profit = _audited(_job(bytes.concat(_buyDebt(_key(Plans.COLLATERAL)), Plans.liquidate()))).profit;

        vm.assertEq(profit, seized - cost, "profit");
    }

    function test_pancake_and_uniswap_share_one_purchase() public {
        uint256 near = _costOf(_open(), address(usdc), HALF_DEBT / 2);
        uint256 other = _costOf(pool, address(usdc), HALF_DEBT / 2);
        bytes memory steps = bytes.concat(
            Plans.buy(HALF_DEBT / 2, _key(Plans.COLLATERAL)),
            Plans.buy(HALF_DEBT / 2, Plans.uniswap(Plans.COLLATERAL, FEE)),
            Plans.liquidate()
        );

        vm.assertEq(_audited(_job(steps)).profit, seized - near - other, "profit");
    }

    function test_pancake_is_the_near_hop_and_uniswap_the_far_one() public {
        (, Liquidation memory job, IUniswapV3PoolFull far) = _exotic();
        uint256 cost = _costOf(far, address(weth), _costOf(_open(), address(usdc), HALF_DEBT));
        job.steps = bytes.concat(
            _buyDebt(_key(Plans.NATIVE)), Plans.buyOn(Plans.uniswap(Plans.COLLATERAL, FEE_TIER)), Plans.liquidate()
        );

        vm.assertEq(_audited(job).profit, seized - cost, "profit");
    }

    function test_slipstream_is_the_near_hop_and_pancake_the_far_one() public {
        (TestToken collateral, Liquidation memory job,) = _exotic();
        IUniswapV3PoolFull near = aerodrome.openSlipstream(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, 60, 10_000e18);
        IUniswapV3PoolFull far = pancake.open(collateral, LOW_WETH_PRICE, weth, LOW_WETH_PRICE, PANCAKE_FEE, 10_000e18);
        uint256 cost = _costOf(far, address(weth), _costOf(near, address(usdc), HALF_DEBT));
        job.steps = bytes.concat(
            _buyDebt(Plans.listed(slipstream, Plans.NATIVE, 60)), Plans.buyOn(_key(Plans.COLLATERAL)), Plans.liquidate()
        );

        vm.assertEq(_audited(job).profit, seized - cost, "profit");
    }

    function test_pancake_buys_the_collateral() public {
        uint256 proceeds = _worthOf(_open(), address(weth), seized);

        vm.assertEq(_audited(_loanAndSell(_sellAll(_key(Plans.COLLATERAL)))).profit, proceeds - HALF_DEBT, "profit");
    }

    /// @dev Each hop calls back by its own name: what the first one left is not what the next one gets.
    function test_a_sale_goes_on_from_pancake_to_uniswap_and_the_other_way() public {
        (TestToken collateral, Liquidation memory job, IUniswapV3PoolFull uniswap) = _exotic();
        IUniswapV3PoolFull toUsdc = _open();
        uint256 proceeds = _worthOf(toUsdc, address(weth), _worthOf(uniswap, address(collateral), seized));
        job.flags = Plans.PROFIT_IN_DEBT;
        bytes memory funded = bytes.concat(Plans.loan(address(aave), HALF_DEBT), Plans.liquidate());
        job.steps = bytes.concat(
            funded,
            Plans.sell(10_000, Plans.token(Plans.NATIVE), Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.sellOn(Plans.token(Plans.DEBT), _key(Plans.COLLATERAL))
        );
        uint256 before = vm.snapshotState();
        vm.assertEq(_audited(job).profit, proceeds - HALF_DEBT, "uniswap, then pancake");

        vm.revertToState(before);
        IUniswapV3PoolFull first =
            pancake.open(collateral, LOW_WETH_PRICE, weth, LOW_WETH_PRICE, PANCAKE_FEE, 10_000e18);
        proceeds = _worthOf(pool, address(weth), _worthOf(first, address(collateral), seized));
        job.steps = bytes.concat(
            funded,
            Plans.sell(10_000, Plans.token(Plans.NATIVE), _key(Plans.COLLATERAL)),
            Plans.sellOn(Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
        );
        vm.assertEq(_audited(job).profit, proceeds - HALF_DEBT, "pancake, then uniswap");
    }

    function test_a_fee_of_pancakes_without_a_pool() public {
        bytes memory error = abi.encodeWithSelector(Swaps.NoPool.selector, weth, usdc, PANCAKE_FEE);

        _runReverts(_job(bytes.concat(_buyDebt(_key(Plans.COLLATERAL)), Plans.liquidate())), error);
        _runReverts(_loanAndSell(_sellAll(_key(Plans.COLLATERAL))), error);
    }

    function test_C04_a_factory_of_pancakes_that_is_not_listed() public {
        _open();
        _list(factory, Roles.Kind.None);
        bytes memory error = abi.encodeWithSelector(Program.UnknownCounterparty.selector, factory);

        _runReverts(_job(bytes.concat(_buyDebt(_key(Plans.COLLATERAL)), Plans.liquidate())), error);
        _runReverts(_loanAndSell(_sellAll(_key(Plans.COLLATERAL))), error);
    }
}
