// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

interface IBalancerV2Vault {
    /// @notice Lends tokens, calls `receiveFlashLoan` on the recipient, who sends loan and fee back before it returns.
    function flashLoan(
        address recipient,
        address[] calldata tokens,
        uint256[] calldata amounts,
        bytes calldata userData
    ) external;
}

interface IBalancerV2FlashBorrower {
    /// @param feeAmounts Token units due on top of `amounts`.
    function receiveFlashLoan(
        IERC20[] calldata tokens,
        uint256[] calldata amounts,
        uint256[] calldata feeAmounts,
        bytes calldata userData
    ) external;
}

/// @dev Balancer v3: whatever was taken within `unlock` must be settled when it ends.
interface IBalancerV3Vault {
    /// @notice Calls the caller back with `data` as its calldata.
    function unlock(bytes calldata data) external returns (bytes memory result);

    /// @notice Sends tokens out of the vault, to the caller's debit.
    function sendTo(address token, address to, uint256 amount) external;

    /// @notice Credits the caller with tokens that it has sent to the vault.
    function settle(address token, uint256 amountHint) external returns (uint256 credit);
}
