// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IAaveFlashBorrower, IAavePool} from "./interfaces/IAavePool.sol";
import {IBalancerV2FlashBorrower, IBalancerV2Vault, IBalancerV3Vault} from "./interfaces/IBalancer.sol";
import {IMorpho, IMorphoFlashLoanCallback} from "./interfaces/IMorpho.sol";
import {PlanReader} from "./PlanReader.sol";
import {Program} from "./Program.sol";

/// @title Where the debt token comes from when the exit is not a flash swap
/// @notice Flash loans of Morpho Blue (free), Aave v3 (premium) and Balancer's vaults, or the treasury's own tokens as
///         far as its allowance goes. All are repaid in full within the run, or everything reverts.
abstract contract Funding is Program, IMorphoFlashLoanCallback, IAaveFlashBorrower, IBalancerV2FlashBorrower {
    using SafeERC20 for IERC20;
    using PlanReader for bytes;

    uint256 internal constant LOAN = 4;
    uint256 internal constant INVENTORY = 5;

    /// @dev Less came back to the treasury than it had lent.
    error InventoryShort(address token);

    /// @dev LOAN: lender (20 bytes), amount (16 bytes, debt token units). Everything after it runs before repayment.
    function _loan(Job memory job, bytes calldata steps) internal {
        address lender = steps.addressAt(0);
        uint256 amount = steps.uintAt(20, 16);
        job.funded += amount;
        Kind kind = kindOf[lender];
        bytes memory data = _pack(job, steps.skip(36));
        if (kind == Kind.MorphoBlue) {
            _expect(lender, this.onMorphoFlashLoan.selector, data);
            IMorpho(lender).flashLoan(job.debt, amount, data);
            _dropAllowance(job.debt, lender);
        } else if (kind == Kind.AaveV3) {
            _expect(lender, this.executeOperation.selector, data);
            IAavePool(lender).flashLoanSimple(address(this), job.debt, amount, data, 0);
            _dropAllowance(job.debt, lender);
        } else if (kind == Kind.BalancerV2) {
            address[] memory tokens = new address[](1);
            uint256[] memory amounts = new uint256[](1);
            (tokens[0], amounts[0]) = (job.debt, amount);
            _expect(lender, this.receiveFlashLoan.selector, data);
            IBalancerV2Vault(lender).flashLoan(address(this), tokens, amounts, data);
        } else if (kind == Kind.BalancerV3) {
            _expect(lender, this.onBalancerV3Unlock.selector, data);
            IBalancerV3Vault(lender).unlock(abi.encodeCall(this.onBalancerV3Unlock, (amount, data)));
        } else {
            revert UnknownCounterparty(lender);
        }
    }

    /// @dev INVENTORY: amount (16 bytes, debt token units), from the treasury, which must have approved it. Returned in
    ///      full before profit is measured, so what an executor does in between cannot cost the treasury anything
    ///      but its allowance (analysers: arbitrary-send-erc20).
    function _inventory(Job memory job, bytes calldata steps) internal {
        uint256 amount = steps.uintAt(0, 16);
        job.funded += amount;
        address lender = treasury;
        uint256 before = IERC20(job.debt).balanceOf(lender);
        IERC20(job.debt).safeTransferFrom(lender, address(this), amount);
        _run(job, steps.skip(16));
        _repay(job.debt, lender, amount);
        // A token that takes a fee on the way gives back less.
        if (IERC20(job.debt).balanceOf(lender) < before) revert InventoryShort(job.debt);
    }

    // ----------------------------------------------------------------------------------------------- callbacks

    /// @notice Called by Morpho Blue with the loan in hand; it pulls the repayment afterwards.
    /// @inheritdoc IMorphoFlashLoanCallback
    function onMorphoFlashLoan(uint256 assets, bytes calldata data) external {
        _takeCallback(data);
        Job memory job = _runPacked(data);
        _approveRepayment(job.debt, msg.sender, assets);
    }

    /// @notice Called by an Aave v3 Pool with the loan in hand; it pulls the repayment afterwards.
    /// @dev Anybody can make Aave lend to this contract, and a token that calls out while it moves could do so just
    ///      when we await this call: hence the look at the initiator.
    /// @inheritdoc IAaveFlashBorrower
    function executeOperation(address, uint256 amount, uint256 premium, address initiator, bytes calldata data)
        external
        returns (bool)
    {
        _takeCallback(data);
        if (initiator != address(this)) revert UnexpectedCallback();
        Job memory job = _runPacked(data);
        _approveRepayment(job.debt, msg.sender, amount + premium);
        _recordFees(0, premium);
        return true;
    }

    /// @notice Called by Balancer's v2 Vault with the loan in hand. The vault is locked against a second loan.
    /// @inheritdoc IBalancerV2FlashBorrower
    function receiveFlashLoan(
        IERC20[] calldata,
        uint256[] calldata amounts,
        uint256[] calldata feeAmounts,
        bytes calldata data
    ) external {
        _takeCallback(data);
        Job memory job = _runPacked(data);
        _repay(job.debt, msg.sender, amounts[0] + feeAmounts[0]);
        if (feeAmounts[0] != 0) _recordFees(0, feeAmounts[0]);
    }

    /// @notice Called by Balancer's v3 Vault once it is open: takes the loan, runs, settles.
    /// @param amount Debt token units.
    function onBalancerV3Unlock(uint256 amount, bytes calldata data) external {
        _takeCallback(data);
        (Job memory job, bytes calldata steps) = _unpack(data);
        IBalancerV3Vault vault = IBalancerV3Vault(msg.sender);
        vault.sendTo(job.debt, address(this), amount);
        _run(job, steps);
        _repay(job.debt, msg.sender, amount);
        vault.settle(job.debt, amount);
    }
}
